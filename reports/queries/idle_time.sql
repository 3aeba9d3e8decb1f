-- How much of the fleet is idle, in which way, and what does the idle time cost?
SELECT a.run_id, r.scenario, r.variant,
       sum(CASE a.cause WHEN 'arrival_idle' THEN a.device_seconds END) / sum(a.device_seconds)
         AS idle_share,
       sum(CASE a.cause WHEN 'capacity_wait' THEN a.device_seconds END) / sum(a.device_seconds)
         AS capacity_wait_share,
       sum(CASE a.cause WHEN 'policy_wait' THEN a.device_seconds END) / sum(a.device_seconds)
         AS policy_wait_share,
       max(t.value) AS tco_usd,
       max(t.value) * sum(CASE a.cause WHEN 'arrival_idle' THEN a.device_seconds END)
         / sum(a.device_seconds) AS tco_of_idle_usd
FROM attribution a
JOIN run r ON r.id = a.run_id
LEFT JOIN metric t ON t.run_id = a.run_id AND t.name = 'tco_usd'
GROUP BY a.run_id
ORDER BY idle_share DESC;
