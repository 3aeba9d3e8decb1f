-- Which constraint binds each pool: where do its device seconds go?
SELECT a.run_id, r.scenario, r.variant, a.pool, a.cause, a.device_seconds, a.share,
       rank() OVER (PARTITION BY a.run_id, a.pool ORDER BY a.share DESC) AS place
FROM attribution a JOIN run r ON r.id = a.run_id
WHERE a.device_seconds > 0
ORDER BY a.run_id, a.pool, place;
