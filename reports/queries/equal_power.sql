-- For a site of given power, which fleet serves the most: throughput per megawatt of peak IT power?
SELECT workload, run_id, scenario, variant, it_power_peak_w, output_tokens_per_s,
       output_tokens_per_s / it_power_peak_w * 1e6 AS output_tokens_per_s_per_mw,
       goodput_requests_per_s / it_power_peak_w * 1e6 AS goodput_requests_per_s_per_mw, slo_met
FROM run_summary
WHERE status = 'done' AND it_power_peak_w > 0
ORDER BY workload, output_tokens_per_s_per_mw DESC;
