import { type FormEvent, useState } from "react";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { minutesOf, OftenFields } from "./often-fields";
import { useLinkChange, useLinks } from "./use-links";

/** Posts the own link of every platform of a show, each in the way it takes. */
export function EverywhereDialog({ showId, onClose }: { showId: string; onClose: () => void }) {
  const api = useLinks();
  const [often, setOften] = useState("15");
  const [message, setMessage] = useState("");
  const post = useLinkChange(
    () => api.postEverywhere(showId, { every_minutes: minutesOf(often), message }),
    (posted) => posted.length > 0 && onClose(),
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!post.isPending) post.mutate(undefined);
  };
  return (
    <Dialog title="Post on all its platforms" onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <p>
          Each platform gets its own link: in its chat where that can be written to, otherwise in its picture if a
          profile is chosen for it.
        </p>
        <OftenFields often={often} message={message} onOften={setOften} onMessage={setMessage} />
        {post.data?.length === 0 && (
          <p role="status">
            None of its platforms takes messages, and none has a profile to draw into. Choose a profile on the show's
            page first.
          </p>
        )}
        <Problem error={post.error} />
        <div className="row">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button className="primary" aria-disabled={post.isPending}>
            Post everywhere
          </button>
        </div>
      </form>
    </Dialog>
  );
}
