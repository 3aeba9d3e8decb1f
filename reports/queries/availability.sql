-- How much of each pool was there to serve, what took the rest away, and what did that do to requests?
SELECT p.run_id, r.scenario, r.variant, p.pool, p.replicas,
       1 - sum(CASE WHEN a.cause IN ('down', 'loading') THEN a.device_seconds ELSE 0 END)
         / (p.devices_used * r.measured_s) AS availability,
       sum(CASE a.cause WHEN 'down' THEN a.device_seconds ELSE 0 END)
         / (p.devices_used * r.measured_s) AS down_share,
       sum(CASE a.cause WHEN 'loading' THEN a.device_seconds ELSE 0 END)
         / (p.devices_used * r.measured_s) AS loading_share,
       sum(CASE a.cause WHEN 'powered_off' THEN a.device_seconds ELSE 0 END)
         / (p.devices_used * r.measured_s) AS powered_off_share,
       (SELECT value FROM metric WHERE run_id = p.run_id AND name = 'failures') AS failures,
       (SELECT value FROM metric WHERE run_id = p.run_id AND name = 'scale_ups') AS scale_ups,
       (SELECT value FROM metric WHERE run_id = p.run_id AND name = 'scale_downs') AS scale_downs,
       (SELECT value FROM metric WHERE run_id = p.run_id AND name = 'attempts_mean') AS attempts_mean,
       (SELECT value FROM metric WHERE run_id = p.run_id AND name = 'phase_redo_share') AS redo_share,
       r.requests_abandoned
FROM pool p
JOIN run r ON r.id = p.run_id
JOIN attribution a ON a.run_id = p.run_id AND a.pool = p.pool
WHERE p.devices_used > 0 AND r.measured_s > 0
GROUP BY p.run_id, p.pool
ORDER BY p.run_id, availability;
