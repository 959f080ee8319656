/** A configured value that is accepted but changes nothing, or needs care. Logged once at start. */
export interface SettingWarning {
  readonly variables: readonly string[];
  readonly message: string;
}
