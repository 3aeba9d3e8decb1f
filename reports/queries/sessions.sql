-- How long does a session (a task) take, how much of that is serving, and how many are good throughout?
SELECT r.id AS run_id, r.scenario, r.variant,
       max(CASE m.name WHEN 'sessions_finished' THEN m.value END) AS sessions_finished,
       max(CASE m.name WHEN 'sessions_lost' THEN m.value END) AS sessions_lost,
       max(CASE m.name WHEN 'requests_per_session' THEN m.value END) AS requests_per_session,
       max(CASE m.name WHEN 'session_time_mean_s' THEN m.value END) AS session_time_mean_s,
       max(CASE m.name WHEN 'session_time_p50_s' THEN m.value END) AS session_time_p50_s,
       max(CASE m.name WHEN 'session_time_p99_s' THEN m.value END) AS session_time_p99_s,
       max(CASE m.name WHEN 'session_serving_time_mean_s' THEN m.value END)
         / nullif(max(CASE m.name WHEN 'session_time_mean_s' THEN m.value END), 0) AS serving_share,
       max(CASE m.name WHEN 'session_return_ttft_p50_s' THEN m.value END) AS session_return_ttft_p50_s,
       max(CASE m.name WHEN 'session_return_ttft_p99_s' THEN m.value END) AS session_return_ttft_p99_s,
       max(CASE m.name WHEN 'session_slo_attainment' THEN m.value END) AS session_slo_attainment,
       max(CASE m.name WHEN 'goodput_sessions_per_s' THEN m.value END) AS goodput_sessions_per_s
FROM run r JOIN metric m ON m.run_id = r.id
GROUP BY r.id
HAVING sessions_finished IS NOT NULL
ORDER BY r.id;
