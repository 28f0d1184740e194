import { PictureField } from "../picture-field";

interface Props {
  showId: string;
  asset: string | null;
  onAsset: (asset: string | null) => void;
}

/** The picture platforms show for the show. */
export function ShowPicture(props: Props) {
  return (
    <PictureField
      {...props}
      label="Picture (optional)"
      alt="The show's picture"
      remove="Remove picture"
      accept="image/png,image/jpeg"
      help="PNG or JPEG, best 1280 × 720. Some platforms take 2 MB at most."
    />
  );
}
