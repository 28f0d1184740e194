import { linkTo, PATHS } from "../navigation";
import { Empty } from "../parts/empty";

export function MissingPage() {
  return (
    <div className="page stack">
      <title>Not found · Studio</title>
      <h1>There is no such page</h1>
      <Empty
        title="This address leads nowhere"
        action={
          <a className="button" {...linkTo(PATHS.shows)}>
            Go to your shows
          </a>
        }
      >
        It may be mistyped, or what was here is gone.
      </Empty>
    </div>
  );
}
