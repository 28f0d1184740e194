import "./shows.css";
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../api";
import { SHOWS } from "../cache";
import { linkTo, PATHS } from "../navigation";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { ShowLine } from "./show-line";

export function ShowsPage() {
  const api = useApi();
  const shows = useQuery({ queryKey: SHOWS, queryFn: ({ signal }) => api.shows(signal) });
  return (
    <div className="page stack">
      <title>Shows · Studio</title>
      <div className="row spread">
        <h1>Shows</h1>
        {shows.data?.length ? (
          <a className="button primary" {...linkTo(PATHS.plan)}>
            Plan a show
          </a>
        ) : null}
      </div>
      {shows.error && <Problem error={shows.error} retry={() => void shows.refetch()} />}
      {shows.isPending && <Loading what="your shows" />}
      {shows.data?.length === 0 && <NoShows />}
      <ul className="stack shows">
        {shows.data?.map((show) => (
          <ShowLine key={show.id} show={show} />
        ))}
      </ul>
    </div>
  );
}

function NoShows() {
  const link = (
    <a className="button primary" {...linkTo(PATHS.plan)}>
      Plan your first show
    </a>
  );
  return (
    <Empty title="No shows yet" action={link}>
      A show is one live event. Give it a title, choose what you sell and where it plays. Nothing goes live
      before you press “Go live”.
    </Empty>
  );
}
