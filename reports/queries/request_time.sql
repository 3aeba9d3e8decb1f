-- What is a request's time made of, and why does it wait: which phase takes how much, by class and pool?
-- Of the requests that arrived after the warm-up; `largest_in` is the share of them of which it is the largest phase.
WITH total AS MATERIALIZED (
  SELECT run_id, class, pool, count(*) AS requests, sum(e2el_s) AS e2el_s,
         sum(front_end_s) AS front_end_s, sum(dominant = 'front_end') AS front_end_n,
         sum(queue_capacity_s) AS queue_capacity_s, sum(dominant = 'queue_capacity') AS queue_capacity_n,
         sum(queue_priority_s) AS queue_priority_s, sum(dominant = 'queue_priority') AS queue_priority_n,
         sum(queue_arrival_s) AS queue_arrival_s, sum(dominant = 'queue_arrival') AS queue_arrival_n,
         sum(fetch_s) AS fetch_s, sum(dominant = 'fetch') AS fetch_n,
         sum(prefill_s) AS prefill_s, sum(dominant = 'prefill') AS prefill_n,
         sum(transfer_s) AS transfer_s, sum(dominant = 'transfer') AS transfer_n,
         sum(decode_s) AS decode_s, sum(dominant = 'decode') AS decode_n,
         sum(redo_s) AS redo_s, sum(dominant = 'redo') AS redo_n
  FROM request_breakdown WHERE measured
  GROUP BY run_id, class, pool
), part AS (
  SELECT run_id, class, pool, requests, e2el_s, 'front_end' AS phase, front_end_s AS s, front_end_n AS n FROM total
  UNION ALL SELECT run_id, class, pool, requests, e2el_s, 'queue_capacity', queue_capacity_s, queue_capacity_n FROM total
  UNION ALL SELECT run_id, class, pool, requests, e2el_s, 'queue_priority', queue_priority_s, queue_priority_n FROM total
  UNION ALL SELECT run_id, class, pool, requests, e2el_s, 'queue_arrival', queue_arrival_s, queue_arrival_n FROM total
  UNION ALL SELECT run_id, class, pool, requests, e2el_s, 'fetch', fetch_s, fetch_n FROM total
  UNION ALL SELECT run_id, class, pool, requests, e2el_s, 'prefill', prefill_s, prefill_n FROM total
  UNION ALL SELECT run_id, class, pool, requests, e2el_s, 'transfer', transfer_s, transfer_n FROM total
  UNION ALL SELECT run_id, class, pool, requests, e2el_s, 'decode', decode_s, decode_n FROM total
  UNION ALL SELECT run_id, class, pool, requests, e2el_s, 'redo', redo_s, redo_n FROM total
)
SELECT p.run_id, r.scenario, r.variant, p.class, p.pool, p.requests, p.phase, p.s / p.requests AS mean_s,
       p.s / nullif(p.e2el_s, 0) AS share_of_e2el, 1.0 * p.n / p.requests AS largest_in
FROM part p JOIN run r ON r.id = p.run_id
WHERE p.s > 0
ORDER BY p.run_id, p.class, p.pool, p.s DESC;
