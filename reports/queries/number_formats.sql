-- What does each number format gain: throughput, cost and which bytes remain, for runs that differ in it?
SELECT p.key, p.value AS format, s.workload, s.run_id, s.scenario, s.output_tokens_per_s_per_device,
       s.tpot_p50_s, s.usd_per_mtok_output, s.energy_per_output_token_j,
       max(CASE a.cause WHEN 'weight_bw' THEN a.share END) AS weight_bw_share,
       max(CASE a.cause WHEN 'kv_bw' THEN a.share END) AS kv_bw_share
FROM parameter p
JOIN run_summary s ON s.run_id = p.run_id
LEFT JOIN attribution a ON a.run_id = p.run_id
WHERE p.key LIKE '%weights' OR p.key LIKE '%kv' OR p.key LIKE '%activations'
GROUP BY p.key, p.value, s.run_id
ORDER BY s.workload, p.key, s.usd_per_mtok_output;
