"""Protocols in plain words."""

from reproid.catalog.protocols import Protocol, get_protocol

GALLERY = {
    "with-queries": "The gallery holds the query tracklets too; a query cannot match itself, as it shares its own camera",
    "without-queries": "Tracklets that are queries are taken out of the gallery",
    "as-given": "The gallery is what the data set marks as gallery",
}
JUNK = {
    "excluded": "junk tracklets (pid -1) are not in it",
    "ignored": "junk tracklets (pid -1) are counted in it but left out of every ranking",
}
REMOVE = {
    "same-person-same-camera": "For each query, gallery tracklets of the same person and the same camera are left out of the "
    "ranking; distractors and other persons of that camera stay",
    "none": "No gallery tracklet is left out of a query's ranking",
}
CAMERAS = {
    "per-tracklet": "",
    "flat-per-frame": "The camera list has one entry per frame of the test clips (min(ceil(n/4), 41) * 4 for a tracklet of n "
    "frames), and only its first entries are read, one per tracklet, so that tracklets get the cameras of others: a defect of "
    "released code, reproduced to measure it",
}
AP = {
    "step": "Average precision is the mean of the precisions at the matches",
    "trapezoid": "Average precision is integrated by trapezoids: the precisions at a match and just before it are averaged",
}
TIES = {"distance-then-gallery-index": "Tracklets at one distance are ranked in the order of the gallery"}
DISTANCE = {
    "cosine": "Embeddings are compared by the cosine distance",
    "euclidean": "Embeddings are compared by the Euclidean distance, without being normalised",
}
SHORT = {
    "gallery": {
        "with-queries": "queries in the gallery",
        "without-queries": "queries not in the gallery",
        "as-given": "gallery as marked",
    },
    "junk": {"excluded": "junk not in the gallery", "ignored": "junk counted in the gallery, ignored in rankings"},
    "remove": {"same-person-same-camera": "same-camera matches removed", "none": "nothing removed"},
    "cameras": {"per-tracklet": "cameras per tracklet", "flat-per-frame": "cameras listed per frame, read per tracklet"},
    "ap": {"step": "step AP", "trapezoid": "trapezoid AP"},
    "distance": {"cosine": "cosine distance", "euclidean": "Euclidean distance"},
}
"""Field -> value -> words, for the fields by which the protocols of one family differ in their scores."""


def describe(protocol: Protocol | str) -> str:
    """Return what a protocol does, in a few plain sentences."""
    protocol = get_protocol(protocol) if isinstance(protocol, str) else protocol
    sentences = [
        f"{GALLERY[protocol.gallery]}; {JUNK[protocol.junk]}",
        REMOVE[protocol.remove],
        CAMERAS[protocol.cameras],
        _cameras_used(protocol),
        AP[protocol.ap],
        DISTANCE[protocol.distance],
        _made_with(protocol),
        TIES[protocol.ties],
        "A query without a match in its ranking is dropped and counted",
        _splits(protocol),
    ]
    return ". ".join(sentence for sentence in sentences if sentence) + "."


def differences(protocol: Protocol, other: Protocol) -> tuple[str, ...]:
    """Return, in words, what ``protocol`` does otherwise than ``other``, of what can change a score or a count."""
    fields = (field for field in SHORT if getattr(protocol, field) != getattr(other, field))
    words = [SHORT[field][getattr(protocol, field)] for field in fields]
    return tuple(words + ([_splits(protocol)] if protocol.splits != other.splits else []))


def _cameras_used(protocol: Protocol) -> str:
    parts = []
    for side, cameras in (("queries", protocol.query_cameras), ("the gallery", protocol.gallery_cameras)):
        if cameras is not None:
            noun = "camera" if len(cameras) == 1 else "cameras"
            parts.append(f"{side} from {noun} {', '.join(str(camera + 1) for camera in cameras)}")
    return " and ".join(parts).capitalize()


def _made_with(protocol: Protocol) -> str:
    parts = [
        f"{protocol.pooling} pooling of a tracklet's clips" if protocol.pooling else "",
        f"{protocol.sampling} sampling" if protocol.sampling else "",
        f"clips of {protocol.frames_per_clip} frames" if protocol.frames_per_clip else "",
    ]
    demanded = [part for part in parts if part]
    return f"Embeddings must have been made with {', '.join(demanded)}" if demanded else ""


def _splits(protocol: Protocol) -> str:
    splits = protocol.splits
    of_set = f" of the split set {splits.set}" if splits.set else ""
    if splits.only is not None:
        return f"Only split {splits.only}{of_set} is scored"
    return f"The reported number is the mean over {splits.count} splits{of_set}" if splits.count > 1 else ""
