-- How much device time do links between devices cost: is a larger fast domain worth it?
SELECT a.run_id, r.scenario, r.variant, a.pool,
       sum(CASE WHEN a.cause IN ('net_bw', 'net_lat') THEN a.share END) AS network_share,
       sum(CASE a.cause WHEN 'net_bw' THEN a.share END) AS bandwidth_share,
       sum(CASE a.cause WHEN 'net_lat' THEN a.share END) AS latency_share,
       sum(CASE a.cause WHEN 'pp_bubble' THEN a.share END) AS pipeline_bubble_share,
       sum(CASE a.cause WHEN 'imbalance' THEN a.share END) AS imbalance_share
FROM attribution a JOIN run r ON r.id = a.run_id
GROUP BY a.run_id, a.pool
ORDER BY network_share DESC;
