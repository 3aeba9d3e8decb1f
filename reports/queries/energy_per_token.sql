-- How many joules does an output token take, which component takes them, and how much CO2 is that?
SELECT e.run_id, r.scenario, r.variant, e.component, sum(e.joules) AS joules,
       sum(e.joules) / nullif(sum(sum(e.joules)) OVER (PARTITION BY e.run_id), 0) AS share,
       max(j.value) AS energy_per_output_token_j, max(k.value) AS kgco2_per_mtok_output
FROM energy e
JOIN run r ON r.id = e.run_id
LEFT JOIN metric j ON j.run_id = e.run_id AND j.name = 'energy_per_output_token_j'
LEFT JOIN metric k ON k.run_id = e.run_id AND k.name = 'kgco2_per_mtok_output'
GROUP BY e.run_id, e.component
HAVING sum(e.joules) > 0
ORDER BY e.run_id, joules DESC;
