import type { PrivacyApi } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { linkTo, PATHS } from "../navigation";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";

/** Which member saw whose data in the open. */
export function LooksCard({ api }: { api: PrivacyApi }) {
  const looks = useQuery({ queryKey: ["privacy", "looks"], queryFn: ({ signal }) => api.looks(signal) });
  return (
    <section className="card stack" aria-labelledby="privacy-looks">
      <h2 id="privacy-looks">Who looked</h2>
      {looks.isPending && <Loading what="looks" />}
      <Problem error={looks.error} retry={() => void looks.refetch()} />
      {looks.data?.length === 0 && <p>Nobody has seen a buyer’s address in the open.</p>}
      {looks.data && looks.data.length > 0 && (
        <div className="privacy-scroll">
          <table className="privacy-table">
            <caption className="visually-hidden">Looks, the newest first</caption>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">Saw</th>
                <th scope="col">Of</th>
              </tr>
            </thead>
            <tbody>
              {looks.data.map((look) => (
                <tr key={`${look.at}:${look.subject_id}:${look.member}`}>
                  <td>{new Date(look.at).toLocaleString()}</td>
                  <td>{look.member}</td>
                  <td>{look.fields.map((field) => field.replace("_", " ")).join(", ")}</td>
                  <td>
                    {look.subject === "order" ? (
                      <a {...linkTo(PATHS.order(look.subject_id))}>an order</a>
                    ) : look.subject === "export" ? (
                      "a copy of somebody’s data"
                    ) : (
                      "a person"
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
