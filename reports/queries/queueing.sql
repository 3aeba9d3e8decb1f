-- What fraction of latency is queueing, by class of request and pool?
-- Of the requests that arrived after the warm-up.
SELECT l.run_id, r.scenario, r.variant, l.class, l.pool, count(*) AS requests,
       avg(l.queue_s) AS queue_mean_s, avg(l.ttft_s) AS ttft_mean_s, avg(l.e2el_s) AS e2el_mean_s,
       sum(l.queue_s) / nullif(sum(l.ttft_s), 0) AS queue_share_of_ttft,
       sum(l.queue_s) / nullif(sum(l.e2el_s), 0) AS queue_share_of_e2el
FROM request_latency l JOIN run r ON r.id = l.run_id
WHERE l.measured
GROUP BY l.run_id, l.class, l.pool
ORDER BY l.run_id, queue_share_of_e2el DESC;
