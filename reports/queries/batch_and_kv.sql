-- What batch do the replicas reach, and is it KV capacity or speed that limits it?
-- capacity_blocked_share is the share of busy time in which the next request did not fit the KV cache.
SELECT s.run_id, s.scenario, s.variant, s.batch_mean, s.kv_utilization, s.tpot_p50_s,
       s.output_tokens_per_s_per_device,
       (SELECT value FROM metric WHERE run_id = s.run_id AND name = 'capacity_blocked_share')
         AS capacity_blocked_share,
       sum(CASE a.cause WHEN 'kv_bw' THEN a.device_seconds END) / sum(a.device_seconds) AS kv_bw_share,
       max(p.value) AS preemptions
FROM run_summary s
JOIN attribution a ON a.run_id = s.run_id
LEFT JOIN metric p ON p.run_id = s.run_id AND p.name = 'preemptions'
GROUP BY s.run_id
ORDER BY s.run_id;
