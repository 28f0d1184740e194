import type { LinkPreview } from "@simulcast/api";
import { TextField } from "../parts/text-field";
import type { LinkDraft } from "./link-draft";
import { TAG_NAMES, TAGS } from "./link-words";

interface Props {
  draft: LinkDraft;
  ruled: LinkPreview["ruled"] | undefined;
  onDraft: (draft: LinkDraft) => void;
}

/** The tags that analytics tools read: filled by a rule, and changed where somebody knows better. */
export function TagFields({ draft, ruled, onDraft }: Props) {
  const own = TAG_NAMES.filter((name) => draft.tags[name].trim()).length;
  return (
    <details open={own > 0 || undefined}>
      <summary>Tags for analytics ({own ? `${own} changed by hand` : "filled by themselves"})</summary>
      <div className="link-grid">
        {TAG_NAMES.map((name) => (
          <TextField
            key={name}
            label={TAGS[name].label}
            help={TAGS[name].help}
            maxLength={200}
            placeholder={ruled?.[name] ?? "none"}
            value={draft.tags[name]}
            onText={(text) => onDraft({ ...draft, tags: { ...draft.tags, [name]: text } })}
          />
        ))}
      </div>
    </details>
  );
}
