"""Groups of pictures: motion against the I-frame and residuals of sampled clips, by H.264 or block matching."""

from reproid.gop.extract import Extractor, group_of_pictures
from reproid.gop.result import METHODS, GroupOfPictures, Method

__all__ = ["METHODS", "Extractor", "GroupOfPictures", "Method", "group_of_pictures"]
