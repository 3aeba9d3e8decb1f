-- Which SLO is expensive: what does the fastest run per cost look like for TTFT, TPOT and speed per user?
SELECT front, workload, run_id, scenario, variant, devices, usd_per_mtok_output,
       output_tokens_per_s_per_user, ttft_p99_s, tpot_p99_s, slo_met
FROM pareto
ORDER BY workload, front, usd_per_mtok_output;
