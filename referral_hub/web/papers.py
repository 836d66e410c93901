"""Answers that are papers: a PDF under a neutral name, which nothing keeps and nothing runs in.

What lives here: headers. What does not: what stands on a paper (``referral_hub.papers``), who may have it.

Source: RFC 6266; RFC 9111 section 5.2.2.5 (no-store); W3C Content Security Policy 3 (sandbox).
"""

from flask import Response

PDF = "application/pdf"
FILE_NAME = "notes.pdf"
"""Says nothing to whoever looks into a folder of downloads."""


def paper_response(pdf: bytes, *, download: bool = False) -> Response:
    """Gives a paper as an answer.

    Args:
        pdf: the paper.
        download: let the browser save it, instead of showing it.
    """
    response = Response(pdf, mimetype=PDF)
    way = "attachment" if download else "inline"
    response.headers["Content-Disposition"] = f'{way}; filename="{FILE_NAME}"'
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    return response
