import type { Medium } from "@simulcast/api";
import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
import { moved } from "./product-draft";

interface Props {
  media: Medium[];
  problems: Record<string, string>;
  onChange: (media: Medium[]) => void;
}

const KINDS = [
  { value: "image", title: "Picture" },
  { value: "video", title: "Video" },
];

/** Pictures and videos in the order viewers see them; the first picture stands for the product. */
export function MediaFields({ media, problems, onChange }: Props) {
  const put = (index: number, part: Partial<Medium>) =>
    onChange(media.with(index, { ...(media[index] as Medium), ...part }));
  return (
    <section className="card stack" aria-labelledby="media">
      <h2 id="media">Pictures and videos</h2>
      {media.length === 0 && <p className="quiet-text">None yet. The first picture stands for the product.</p>}
      <ol className="stack media-list">
        {media.map((medium, index) => (
          <li key={index} className="medium">
            {medium.kind === "image" && /^(https:|data:image\/|\/[^/])/.test(medium.url) ? (
              <img className="product-picture" src={medium.url} alt="" />
            ) : (
              <span className="product-picture" />
            )}
            <div className="stack tight product-body">
              <div className="two">
                <SelectField
                  label={`Kind of number ${index + 1}`}
                  value={medium.kind}
                  options={KINDS}
                  onChoose={(kind) => put(index, { kind: kind === "video" ? "video" : "image" })}
                />
                <TextField
                  label="Address"
                  type="url"
                  problem={problems[`media.${index}`]}
                  value={medium.url}
                  onText={(url) => put(index, { url })}
                />
                <TextField
                  label="What it shows"
                  help="Read aloud to people who can't see it."
                  maxLength={500}
                  value={medium.alt}
                  onText={(alt) => put(index, { alt })}
                />
              </div>
              <div className="row">
                <button
                  type="button"
                  className="small"
                  aria-label={`Move number ${index + 1} up`}
                  disabled={index === 0}
                  onClick={() => onChange(moved(media, index, -1))}
                >
                  Up
                </button>
                <button
                  type="button"
                  className="small"
                  aria-label={`Move number ${index + 1} down`}
                  disabled={index === media.length - 1}
                  onClick={() => onChange(moved(media, index, 1))}
                >
                  Down
                </button>
                <button
                  type="button"
                  className="small"
                  aria-label={`Remove number ${index + 1}`}
                  onClick={() => onChange(media.toSpliced(index, 1))}
                >
                  Remove
                </button>
              </div>
            </div>
          </li>
        ))}
      </ol>
      <div className="row">
        <button type="button" onClick={() => onChange([...media, { kind: "image", url: "", alt: "" }])}>
          Add a picture or video
        </button>
      </div>
    </section>
  );
}
