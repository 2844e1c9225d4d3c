"""OpenCV for the application; `model.cv` says what is special about its import."""

from model.cv import cv2

__all__ = ["cv2"]
