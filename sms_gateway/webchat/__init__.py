"""The public chat on `/`: the same talk as by SMS, in a browser, for whoever has no phone of their own."""
