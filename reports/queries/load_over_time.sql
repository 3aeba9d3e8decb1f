-- How does the load move over the day: running and waiting requests, KV use and power, by pool and hour?
SELECT s.run_id, r.scenario, r.variant, s.pool, CAST(s.t_s / 3600 AS INTEGER) AS hour,
       avg(s.running) AS running_mean, max(s.queued) AS queued_max, avg(s.kv_used) AS kv_used_mean,
       avg(s.power_w) AS power_mean_w, max(s.power_w) AS power_max_w,
       avg(s.output_tokens_per_s) AS output_tokens_per_s
FROM sample s JOIN run r ON r.id = s.run_id
GROUP BY s.run_id, s.pool, hour
ORDER BY s.run_id, s.pool, hour;
