-- What do the memory tiers below the devices do for the KV cache: hits, traffic, room and energy?
SELECT t.run_id, r.scenario, r.variant, t.tier, h.value AS hit_rate, b.value AS hit_rate_hbm,
       t.mean_bytes, t.mean_bytes / nullif(t.capacity_bytes, 0) AS used_share,
       t.bytes_read / nullif(r.measured_s, 0) AS read_bytes_per_s,
       t.bytes_written / nullif(r.measured_s, 0) AS written_bytes_per_s, t.joules,
       c.value AS recomputed_tokens_share
FROM kv_tier t
JOIN run r ON r.id = t.run_id
LEFT JOIN metric h ON h.run_id = t.run_id AND h.name = 'kv_hit_rate_' || t.tier
LEFT JOIN metric b ON b.run_id = t.run_id AND b.name = 'kv_hit_rate_hbm'
LEFT JOIN metric c ON c.run_id = t.run_id AND c.name = 'recomputed_tokens_share'
ORDER BY t.run_id, hit_rate DESC;
