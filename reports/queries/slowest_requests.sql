-- Which requests were the slowest, and did they wait, prefill or decode?
-- Of the requests that arrived after the warm-up, twenty a run.
SELECT * FROM (
  SELECT l.run_id, l.id, l.session, l.turn, l.class, l.pool, l.replica, l.arrival_s,
         l.input_tokens, l.cached_tokens, l.output_tokens, l.preemptions, l.queue_s,
         l.ttft_s - l.queue_s AS prefill_s, l.e2el_s - l.ttft_s AS decode_s, l.e2el_s,
         rank() OVER (PARTITION BY l.run_id ORDER BY l.e2el_s DESC) AS place
  FROM request_latency l WHERE l.measured
) WHERE place <= 20
ORDER BY run_id, place;
