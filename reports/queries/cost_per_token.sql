-- What does a million tokens cost, input, output and blended, and which category of cost is it?
SELECT c.run_id, c.scenario, c.variant, c.category, c.usd, c.share,
       m.input AS usd_per_mtok_input, m.output AS usd_per_mtok_output,
       m.blended AS usd_per_mtok_blended, m.output * c.share AS usd_per_mtok_output_of_category
FROM cost_summary c
LEFT JOIN (
  SELECT run_id, max(CASE name WHEN 'usd_per_mtok_input' THEN value END) AS input,
         max(CASE name WHEN 'usd_per_mtok_output' THEN value END) AS output,
         max(CASE name WHEN 'usd_per_mtok_blended' THEN value END) AS blended
  FROM metric GROUP BY run_id
) m ON m.run_id = c.run_id
ORDER BY c.run_id, c.usd DESC;
