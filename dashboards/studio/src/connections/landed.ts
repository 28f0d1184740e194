/** What the address says about a visit to a platform. Pure. */

export type Landed =
  | { kind: "linked"; id: string }
  | { kind: "choose"; id: string }
  | { kind: "problem"; problem: string; id: string | null };

export function landedBy(search: string): Landed | null {
  const said = new URLSearchParams(search);
  const problem = said.get("problem");
  if (problem) return { kind: "problem", problem, id: said.get("login") };
  for (const kind of ["choose", "linked"] as const) {
    const id = said.get(kind);
    if (id) return { kind, id };
  }
  return null;
}
