-- idle: the last window's touches of everybody who never ordered.
CREATE OR REPLACE TEMP TABLE idle AS
SELECT touch_id, person, "at", {key} FROM touch ANTI JOIN orders USING (person)
QUALIFY "at" >= max("at") OVER (PARTITION BY person) - {reach}
