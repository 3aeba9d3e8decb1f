-- For the money of each run, which run of the same workload serves more within its SLO?
-- A pair is comparable when the total cost of ownership differs by at most 10 %.
SELECT a.workload, a.run_id, a.scenario, a.variant, a.tco_usd, a.goodput_requests_per_s,
       b.run_id AS other_run_id, b.scenario AS other_scenario, b.variant AS other_variant,
       b.tco_usd AS other_tco_usd, b.goodput_requests_per_s AS other_goodput_requests_per_s,
       b.goodput_requests_per_s / nullif(a.goodput_requests_per_s, 0) AS times_as_much
FROM run_summary a
JOIN run_summary b ON b.workload = a.workload AND b.run_id <> a.run_id
                  AND b.tco_usd BETWEEN a.tco_usd / 1.1 AND a.tco_usd * 1.1
WHERE a.status = 'done' AND b.status = 'done'
  AND b.goodput_requests_per_s > a.goodput_requests_per_s
ORDER BY a.workload, a.run_id, times_as_much DESC;
