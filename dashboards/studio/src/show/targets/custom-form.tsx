import type { CustomAddress, Profile, TargetPreset } from "@simulcast/api";
import { type FormEvent, useRef, useState } from "react";
import { Problem } from "../../parts/problem";
import { TextField } from "../../parts/text-field";
import { AddressFields, addressProblems } from "./address-fields";
import { ProfileField } from "./profile-field";

interface Props {
  preset: TargetPreset;
  profiles: Profile[];
  busy: boolean;
  error: unknown;
  onSend: (address: CustomAddress, profile: string | null) => void;
  onBack: () => void;
}

/** What is known of the platform is filled in; the person brings the rest. */
export function CustomForm({ preset, profiles, busy, error, onSend, onBack }: Props) {
  const [name, setName] = useState(preset.platform ? preset.title : "");
  const [address, setAddress] = useState({ url: preset.url, key: "", passphrase: "" });
  const [profile, setProfile] = useState<string | null>(null);
  const [tried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const problems = addressProblems(address);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(problems).length || !name.trim()) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
    } else if (!busy) {
      const { url, key, passphrase } = address;
      onSend(
        { name: name.trim(), url: url.trim(), key: key.trim(), passphrase, platform: preset.platform },
        profile,
      );
    }
  };
  return (
    <form ref={form} className="stack" onSubmit={submit} noValidate>
      <p className="quiet-text">{preset.help}</p>
      <TextField
        label="Name in the studio"
        maxLength={120}
        problem={tried && !name.trim() ? "Give it a name." : undefined}
        value={name}
        onText={setName}
      />
      <AddressFields
        address={address}
        example={preset.url ? "" : preset.example}
        keyHelp={preset.key_help}
        problems={tried ? problems : {}}
        onAddress={setAddress}
      />
      <ProfileField
        profiles={profiles}
        value={profile}
        platform={preset.title}
        vertical={preset.vertical}
        onChoose={setProfile}
      />
      <Problem error={error} />
      <div className="row">
        <button className="primary" aria-disabled={busy}>
          {busy ? "Adding…" : "Add target"}
        </button>
        <button type="button" onClick={onBack}>
          Back
        </button>
      </div>
    </form>
  );
}
