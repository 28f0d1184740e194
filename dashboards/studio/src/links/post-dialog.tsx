import type { PostHow, TrackedLink, Voice } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../api";
import { Dialog } from "../parts/dialog";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { SelectField } from "../parts/select-field";
import { HOWS, nameOf } from "./link-words";
import { OftenFields, minutesOf } from "./often-fields";
import { useLinkChange, useLinks } from "./use-links";

const BEST = { value: "", title: "The best way there is" };

/** Posts a link in one chat of its show, or shows it in one picture. */
export function PostDialog({ link, onClose }: { link: TrackedLink; onClose: () => void }) {
  const studio = useApi();
  const api = useLinks();
  const showId = link.show_id ?? "";
  const voices = useQuery({ queryKey: ["voices", showId], queryFn: ({ signal }) => studio.voices(showId, signal) });
  const [target, setTarget] = useState(link.target_id ?? "");
  const [how, setHow] = useState<PostHow | "">("");
  const [often, setOften] = useState("15");
  const [message, setMessage] = useState("");
  const chosen = voices.data?.find((one) => one.target_id === target) ?? voices.data?.[0];
  const post = useLinkChange(
    (to: string) => api.post(link.id, { target_id: to, how: how || null, every_minutes: minutesOf(often), message }),
    onClose,
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (chosen && !post.isPending) post.mutate(chosen.target_id);
  };
  return (
    <Dialog title={`Post ${nameOf(link)}`} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        {voices.isPending && <Loading what="the show's platforms" />}
        <Problem error={voices.error} retry={() => void voices.refetch()} />
        {voices.data?.length === 0 && <p>This show goes to no platform yet. Add one to the show first.</p>}
        {chosen && (
          <>
            <SelectField
              label="Where"
              value={chosen.target_id}
              options={(voices.data ?? []).map((one) => ({ value: one.target_id, title: one.name }))}
              onChoose={setTarget}
            />
            <SelectField
              label="How"
              help={adviceOf(chosen)}
              value={how}
              options={[BEST, ...waysOf(chosen).map((value) => ({ value, title: HOWS[value] }))]}
              onChoose={(value) => setHow(value as PostHow | "")}
            />
            {isSaid(chosen, how) && (
              <OftenFields often={often} message={message} onOften={setOften} onMessage={setMessage} />
            )}
          </>
        )}
        <Problem error={post.error} />
        <div className="row">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button className="primary" disabled={!chosen} aria-disabled={post.isPending}>
            Post
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function waysOf(voice: Voice): PostHow[] {
  const spoken: PostHow[] = voice.why_not !== null || !voice.links ? [] : ["message"];
  if (voice.announces) spoken.unshift("announce");
  return [...spoken, "overlay"];
}

function isSaid(voice: Voice, how: PostHow | ""): boolean {
  return (how || waysOf(voice)[0]) !== "overlay";
}

function adviceOf(voice: Voice): string {
  const drawn = "The picture shows it where a profile is chosen for this platform.";
  if (voice.why_not) return `${voice.why_not} ${drawn}`;
  return voice.links ? drawn : `${voice.name} refuses messages with links. ${drawn}`;
}
