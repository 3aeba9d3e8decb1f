-- Are the numbers measured or marketed: what does each run rest on, by confidence?
SELECT a.run_id, r.scenario, r.variant, a.confidence, count(*) AS assumptions,
       group_concat(a.key, '; ') AS which
FROM assumption a JOIN run r ON r.id = a.run_id
GROUP BY a.run_id, a.confidence
ORDER BY a.run_id, assumptions DESC;
