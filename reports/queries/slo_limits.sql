-- Which limits of the SLO are met, and by how much?
SELECT s.run_id, r.scenario, r.variant, s.metric, s.limit_s, s.actual_s,
       s.actual_s / s.limit_s AS share_of_limit, s.met
FROM slo s JOIN run r ON r.id = s.run_id
ORDER BY s.run_id, share_of_limit DESC;
