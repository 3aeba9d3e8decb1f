-- Is the claim possible: what was stated, what does the simulation give, and how do they compare?
SELECT e.run_id, r.scenario, r.variant, e.metric, e.expected AS stated, e.low, e.high,
       e.actual AS simulated, e.ratio, e.verdict, e.claim, e.source
FROM expectation e JOIN run r ON r.id = e.run_id
ORDER BY CASE e.verdict WHEN 'holds' THEN 1 ELSE 0 END, e.ratio;
