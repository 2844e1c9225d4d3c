"""OpenCV for the application; `model.cv` says what is special about its import.

Its own log is silent here: a broken file is reported as one sentence of ours.
"""

from model.cv import cv2

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

__all__ = ["cv2"]
