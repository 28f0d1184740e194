import type { Profile, Target, TargetChange } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { useApi } from "../../api";
import { CheckField } from "../../parts/check-field";
import { Dialog } from "../../parts/dialog";
import { Problem } from "../../parts/problem";
import { TextArea } from "../../parts/text-area";
import { TextField } from "../../parts/text-field";
import { platformName } from "../../parts/words";
import { AddressFields, addressProblems } from "./address-fields";
import { ProfileField } from "./profile-field";

interface Props {
  showId: string;
  target: Target;
  profiles: Profile[];
  onChanged: () => Promise<unknown>;
  onClose: () => void;
}

const UPRIGHT = new Set(["tiktok", "instagram"]);

/** Another name, address, key or picture; the other targets do not notice. */
export function EditTarget({ showId, target, profiles, onChanged, onClose }: Props) {
  const api = useApi();
  const [name, setName] = useState(target.name);
  const [address, setAddress] = useState({ url: "", key: "", passphrase: "" });
  const [profile, setProfile] = useState(target.profile);
  const [backup, setBackup] = useState(target.backup_wanted);
  const [title, setTitle] = useState(target.title ?? "");
  const [description, setDescription] = useState(target.description ?? "");
  const [tried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const problems = addressProblems(address, true);
  const save = useMutation({
    mutationFn: async (change: TargetChange) => {
      await api.changeTarget(showId, target.id, change);
      await onChanged();
    },
    onSuccess: onClose,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(problems).length || !name.trim()) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
    } else if (!save.isPending) {
      const typed = { url: address.url.trim(), key: address.key.trim(), passphrase: address.passphrase };
      save.mutate({
        ...(name.trim() === target.name ? {} : { name: name.trim() }),
        ...(profile === target.profile ? {} : { profile }),
        ...changed("title", title, target.title),
        ...changed("description", description, target.description),
        ...(backup === target.backup_wanted ? {} : { backup_wanted: backup }),
        ...Object.fromEntries(Object.entries(typed).filter(([, text]) => text)),
      });
    }
  };
  const platform = target.platform || target.connector;
  return (
    <Dialog title={`Edit ${target.name}`} onClose={onClose}>
      <form ref={form} className="stack" onSubmit={submit} noValidate>
        <TextField
          label="Name in the studio"
          maxLength={120}
          problem={tried && !name.trim() ? "Give it a name." : undefined}
          value={name}
          onText={setName}
        />
        <TextField
          label="Title there (optional)"
          help="For this platform alone. Empty: the show's title."
          maxLength={200}
          value={title}
          onText={setTitle}
        />
        <TextArea
          label="Description there (optional)"
          maxLength={5000}
          value={description}
          onText={setDescription}
        />
        {target.own_address && (
          <AddressFields
            address={address}
            example=""
            help="Leave it empty to keep the address."
            keyHelp="Leave it empty to keep the key. A new one is used at once."
            editing
            problems={tried ? problems : {}}
            onAddress={setAddress}
          />
        )}
        <ProfileField
          profiles={profiles}
          value={profile}
          platform={platformName(platform)}
          vertical={UPRIGHT.has(platform)}
          onChoose={setProfile}
        />
        {target.backup_offered && (
          <CheckField
            label="Send to the backup ingest as well"
            help={`${target.name} switches over by itself when the first way breaks. It takes the same upload again.`}
            checked={backup}
            onCheck={setBackup}
          />
        )}
        <Problem error={save.error} />
        <div className="row">
          <button className="primary" aria-disabled={save.isPending}>
            {save.isPending ? "Saving…" : "Save"}
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** A text of its own, or null where the show's serves again; nothing when it stays as it is. */
function changed(name: "title" | "description", typed: string, before: string | null): TargetChange {
  const wanted = typed.trim() || null;
  return wanted === before ? {} : { [name]: wanted };
}
