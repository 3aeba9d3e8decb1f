-- Which fleet is the cheapest that meets its SLO, for each workload?
-- Runs are ranked by cost per million output tokens; those that miss a limit come last.
SELECT r.workload, r.run_id, r.scenario, r.variant, r.nodes, r.devices,
       r.slo_met, r.slo_attainment, r.usd_per_mtok_output, r.capex_usd, r.tco_usd,
       rank() OVER (PARTITION BY r.workload
                    ORDER BY coalesce(r.slo_met, 1) DESC, r.usd_per_mtok_output) AS place
FROM run_summary r
WHERE r.status = 'done' AND r.usd_per_mtok_output IS NOT NULL
ORDER BY r.workload, place;
