"""Stage media: test clips as H.264 streams, with their motion and what it leaves over beside them."""
