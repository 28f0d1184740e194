import { useState } from "react";
import { useApi } from "../../api";
import { useTick } from "../../parts/use-tick";

const EVERY_MS = 10_000;

/** What goes out right now, as a small still picture. */
export function Thumbnail({ showId }: { showId: string }) {
  const api = useApi();
  const tick = useTick(EVERY_MS);
  const [there, setThere] = useState(false);
  return (
    <figure className="still">
      <img
        src={`${api.pictureUrl(showId)}?${tick}`}
        alt="What goes out now"
        hidden={!there}
        onLoad={() => setThere(true)}
        onError={() => setThere(false)}
      />
      <figcaption className="quiet-text">
        {there ? "The picture of the last seconds." : "No picture goes out right now."}
      </figcaption>
    </figure>
  );
}
