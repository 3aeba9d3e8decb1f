-- What does each layer of the stack, from wires to policy, take of the devices' time?
SELECT a.run_id, r.scenario, r.variant,
       CASE
         WHEN a.cause IN ('net_bw', 'net_lat') THEN '1 interconnect'
         WHEN a.cause = 'compute' THEN '2 compute silicon'
         WHEN a.cause IN ('weight_bw', 'kv_bw', 'act_bw', 'capacity_wait') THEN '3 memory hierarchy'
         WHEN a.cause = 'launch' THEN '4 runtime and compiler'
         WHEN a.cause = 'arrival_idle' THEN '5 orchestration: nothing to do'
         WHEN a.cause IN ('host', 'pp_bubble', 'imbalance') THEN '6 serving framework'
         ELSE '7 routing and policy'
       END AS layer,
       sum(a.device_seconds) AS device_seconds, sum(a.share) / count(DISTINCT a.pool) AS share
FROM attribution a JOIN run r ON r.id = a.run_id
GROUP BY a.run_id, layer
ORDER BY a.run_id, layer;
