import type { Invited, Member, PrivacyApi, Role } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Confirm } from "../parts/confirm";
import { CopyButton } from "../parts/copy-button";
import { Loading } from "../parts/loading";
import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";
import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
import { ROLES } from "./privacy-words";

const MEMBERS = ["members"];

/** Who works for the brand, and what each may do. */
export function MembersCard({ api }: { api: PrivacyApi }) {
  const members = useQuery({ queryKey: MEMBERS, queryFn: ({ signal }) => api.members(signal) });
  const [invited, setInvited] = useState<Invited | null>(null);
  return (
    <section className="card stack" aria-labelledby="privacy-members">
      <h2 id="privacy-members">Members and roles</h2>
      {members.isPending && <Loading what="members" />}
      <Problem error={members.error} retry={() => void members.refetch()} />
      {members.data?.map((member) => (
        <Row key={`${member.id}:${member.role}`} member={member} api={api} onLink={setInvited} />
      ))}
      {invited && (
        <Notice tone="good" action={<CopyButton text={invited.url} label="Copy link" />}>
          Give {invited.member.name} this link; it is shown only now, and good for a week:{" "}
          <code>{invited.url}</code>
        </Notice>
      )}
      <Invite api={api} onInvited={setInvited} />
    </section>
  );
}

function Row({ member, api, onLink }: { member: Member; api: PrivacyApi; onLink: (invited: Invited) => void }) {
  const cache = useQueryClient();
  const [removing, setRemoving] = useState(false);
  const onSettled = () => cache.invalidateQueries({ queryKey: MEMBERS });
  const change = useMutation({ mutationFn: (role: Role) => api.changeRole(member.id, role), onSettled });
  const link = useMutation({ mutationFn: () => api.inviteAgain(member.id), onSuccess: onLink, onSettled });
  const remove = useMutation({ mutationFn: () => api.removeMember(member.id), onSettled });
  return (
    <div className="stack tight">
      <div className="row spread">
        <p>
          <strong>{member.name}</strong> {member.email}
          {member.invited && <span className="quiet-text"> · has not chosen a password yet</span>}
        </p>
        <span className="row">
          <SelectField
            label={`Role of ${member.name}`}
            value={member.role}
            options={ROLES}
            onChoose={(role) => change.mutate(role as Role)}
          />
          <button type="button" className="small" disabled={link.isPending} onClick={() => link.mutate()}>
            New link<span className="visually-hidden"> for {member.name}</span>
          </button>
          <button type="button" className="small" onClick={() => setRemoving(true)}>
            Remove<span className="visually-hidden"> {member.name}</span>
          </button>
        </span>
      </div>
      <Problem error={change.error ?? link.error} />
      {removing && (
        <Confirm
          title={`Remove ${member.name}?`}
          act="Remove"
          busy={remove.isPending}
          error={remove.error}
          onAct={() => remove.mutate(undefined, { onSuccess: () => setRemoving(false) })}
          onClose={() => setRemoving(false)}
        >
          They are signed out and cannot come back. Their name stays beside what they did.
        </Confirm>
      )}
    </div>
  );
}

function Invite({ api, onInvited }: { api: PrivacyApi; onInvited: (invited: Invited) => void }) {
  const cache = useQueryClient();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("moderator");
  const invite = useMutation({
    mutationFn: () => api.invite({ email: email.trim(), name: name.trim(), role }),
    onSuccess: (made) => {
      setEmail("");
      setName("");
      onInvited(made);
      void cache.invalidateQueries({ queryKey: MEMBERS });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!invite.isPending) invite.mutate();
  };
  return (
    <form className="stack tight" onSubmit={submit}>
      <h3>Invite somebody</h3>
      <TextField label="Name" required maxLength={80} value={name} onText={setName} />
      <TextField label="E-mail" type="email" required value={email} onText={setEmail} />
      <SelectField
        label="Role"
        help={ROLES.find((one) => one.value === role)?.may}
        value={role}
        options={ROLES}
        onChoose={(chosen) => setRole(chosen as Role)}
      />
      <Problem error={invite.error} />
      <button aria-disabled={invite.isPending}>{invite.isPending ? "Inviting…" : "Invite"}</button>
    </form>
  );
}
