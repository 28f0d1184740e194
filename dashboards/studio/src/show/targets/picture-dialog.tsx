import { formatMoney, type Profile, type ShowProduct } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { useApi } from "../../api";
import { Dialog } from "../../parts/dialog";
import { Problem } from "../../parts/problem";
import { SelectField } from "../../parts/select-field";
import { TextField } from "../../parts/text-field";
import { ANCHORS, layersOf, type Overlay, overlayOf } from "./overlay";

interface Props {
  showId: string;
  profile: Profile;
  products: ShowProduct[];
  live: boolean;
  onChanged: () => Promise<unknown>;
  onClose: () => void;
}

const FITS = [
  { value: "crop", title: "Cut out a part" },
  { value: "blur", title: "Whole picture before a blurred one" },
  { value: "letterbox", title: "Whole picture with black bars" },
];

/** How one re-encoded picture is cut, and what is drawn over it. Applies while live. */
export function PictureDialog({ showId, profile, products, live, onChanged, onClose }: Props) {
  const api = useApi();
  const [fit, setFit] = useState(profile.fit);
  const [crop, setCrop] = useState(profile.crop_x);
  const [overlay, setOverlay] = useState(() => overlayOf(profile));
  const save = useMutation({
    mutationFn: async (change: Partial<Profile>) => {
      await api.putProfile(showId, { ...profile, ...change });
      await onChanged();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!save.isPending) save.mutate({ fit, crop_x: crop, layers: layersOf(profile, overlay) });
  };
  return (
    <Dialog title={profile.name} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <SelectField
          label="How the picture fits"
          help={live ? "Changing this interrupts the targets that use it for a moment." : undefined}
          value={fit}
          options={FITS}
          onChoose={(value) => setFit(value as Profile["fit"])}
        />
        {fit === "crop" && (
          <CropField
            profile={profile}
            value={crop}
            onMove={setCrop}
            // Only where the crop is, and at once: it is moved while somebody looks at it.
            onSettle={() => fit === profile.fit && save.mutate({ crop_x: crop })}
          />
        )}
        <OverlayFields overlay={overlay} products={products} onOverlay={setOverlay} />
        <Problem error={save.error} />
        <div className="row">
          <button className="primary" aria-disabled={save.isPending}>
            {save.isPending ? "Applying…" : "Apply"}
          </button>
          <button type="button" onClick={onClose}>
            Close
          </button>
          <span className="quiet-text" role="status">
            {save.isSuccess && (live ? "Applied. It is on air in a moment." : "Saved.")}
          </span>
        </div>
      </form>
    </Dialog>
  );
}

interface CropProps {
  profile: Profile;
  value: number;
  onMove: (value: number) => void;
  onSettle: () => void;
}

/** Where the cut-out is: a slider, and a picture of what it means on a 16:9 feed. */
function CropField({ profile, value, onMove, onSettle }: CropProps) {
  const id = useId();
  const width = Math.min(160, (90 * profile.width) / profile.height);
  return (
    <div className="field">
      <label htmlFor={id}>Where to cut</label>
      <svg className="crop" viewBox="0 0 160 90" aria-hidden="true">
        <rect className="crop-all" width="160" height="90" rx="4" />
        <rect className="crop-part" x={(160 - width) * value} width={width} height="90" rx="4" />
      </svg>
      <input
        id={id}
        type="range"
        min={0}
        max={1}
        step={0.01}
        value={value}
        aria-valuetext={`${Math.round(value * 100)} % from the left`}
        onChange={(event) => onMove(Number(event.target.value))}
        onPointerUp={onSettle}
        onKeyUp={onSettle}
      />
    </div>
  );
}

interface OverlayProps {
  overlay: Overlay;
  products: ShowProduct[];
  onOverlay: (overlay: Overlay) => void;
}

function OverlayFields({ overlay, products, onOverlay }: OverlayProps) {
  const set = (part: Partial<Overlay>) => onOverlay({ ...overlay, ...part });
  const place = (label: string, name: "textAnchor" | "qrAnchor" | "cardAnchor") => (
    <SelectField
      label={label}
      value={overlay[name]}
      options={ANCHORS}
      onChoose={(anchor) => set({ [name]: anchor })}
    />
  );
  const choose = (id: string) => {
    const product = products.find((one) => one.id === id);
    const first = product?.variants[0];
    set({
      card: product?.title ?? "",
      price: first ? formatMoney(first.price_minor, first.currency) : "",
    });
  };
  return (
    <fieldset className="stack">
      <legend className="legend">Drawn over the picture</legend>
      <TextField
        label="Text"
        maxLength={200}
        value={overlay.text}
        onText={(text) => set({ text })}
      />
      {overlay.text && place("Where the text is", "textAnchor")}
      <TextField
        label="QR code leads to"
        placeholder="https://…"
        maxLength={500}
        value={overlay.qr}
        onText={(qr) => set({ qr })}
      />
      {overlay.qr && place("Where the QR code is", "qrAnchor")}
      <SelectField
        label="Product card"
        value={products.find((one) => one.title === overlay.card)?.id ?? ""}
        options={[
          { value: "", title: "None" },
          ...products.map((one) => ({ value: one.id, title: one.title })),
        ]}
        onChoose={choose}
      />
      {overlay.card && place("Where the card is", "cardAnchor")}
    </fieldset>
  );
}
