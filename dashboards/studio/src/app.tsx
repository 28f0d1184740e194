import { useQuery } from "@tanstack/react-query";
import { useApi } from "./api";
import { isSignedOut, SESSION } from "./cache";
import { Loading } from "./parts/loading";
import { Problem } from "./parts/problem";
import { pageOf, usePath } from "./navigation";
import { Shell } from "./shell/shell";
import { Invite } from "./sign-in/invite";
import { SignIn } from "./sign-in/sign-in";

/** Nobody is signed in: the sign-in. Otherwise the screen that the address names. */
export function App() {
  const api = useApi();
  const path = usePath();
  const session = useQuery({
    queryKey: SESSION,
    queryFn: ({ signal }) =>
      api.session(signal).catch((error: unknown) => {
        if (isSignedOut(error)) return null;
        throw error;
      }),
    staleTime: Infinity,
  });
  if (pageOf(path).name === "invite") return <Invite />;
  if (session.data) return <Shell session={session.data} />;
  if (session.data === null) return <SignIn />;
  return (
    <main className="alone">
      <h1>Studio</h1>
      {session.error ? (
        <Problem error={session.error} retry={() => void session.refetch()} />
      ) : (
        <Loading what="the studio" />
      )}
    </main>
  );
}
