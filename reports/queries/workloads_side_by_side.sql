-- How do workloads differ on the same boxes: agents against chat?
SELECT scenario, workload, variant, run_id, devices, ttft_p50_s, ttft_p99_s, tpot_p50_s, tpot_p99_s,
       output_tokens_per_s_per_device, prefix_hit_rate, batch_mean, kv_utilization,
       usd_per_mtok_output
FROM run_summary
WHERE status = 'done'
ORDER BY devices, scenario, workload;
