"""The narrative: what it may hold, and that nothing else gets in."""

import pytest

from referral_hub.fhir.narrative import open_fragments, problem
from referral_hub.fhir.validator import validate


def div(content: str, attributes: str = "") -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml"{attributes}>{content}</div>'


@pytest.mark.parametrize(
    "text",
    [
        div("Nothing special"),
        div("<p>A &lt; B &amp; C &#160; &#xA0;</p>"),
        div('<p class="a" style="color: red" lang="so" xml:lang="so" dir="rtl">x<br/></p>'),
        div(
            '<table border="1"><thead><tr><th scope="col">a</th></tr></thead><tr><td colspan="2">b</td></tr></table>'
        ),
        div(
            '<a href="https://x.example/a?b=c#d">x</a> <a href="mailto:a@x.example">y</a> <a href="tel:+000">z</a>'
        ),
        div('<a name="here">x</a><a href="#here">y</a>'),
        div('<img src="data:image/png;base64,AAAA" alt="a picture"/>'),
        div('<img src="#picture" alt="a picture"/>'),
        div("<ul><li>a</li></ul><!-- a remark -->"),
        div("x") + "\n",
        '<div lang="en"\n xmlns="http://www.w3.org/1999/xhtml">x</div>',
    ],
)
def test_is_allowed(text: str):
    assert problem(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (div("<script>x</script>"), "element script"),
        (div("<SCRIPT>x</SCRIPT>"), "element SCRIPT"),
        (div("<style>p {}</style>"), "element style"),
        (div('<iframe src="https://x.example"></iframe>'), "element iframe"),
        (div('<object data="x"></object>'), "element object"),
        (div("<form><input/></form>"), "element form"),
        (div("<svg><path/></svg>"), "element svg"),
        (div('<link rel="stylesheet" href="x"/>'), "element link"),
        (div('<p onclick="x()">a</p>'), "attribute onclick"),
        (div("<p onclick='x()'>a</p>"), "attribute onclick"),
        (div('<p ONCLICK="x()">a</p>'), "attribute ONCLICK"),
        (div('<a href="javascript:x()">a</a>'), "must lead to"),
        (div('<a href="JavaScript:x()">a</a>'), "must lead to"),
        (div('<a href="&#106;avascript:x()">a</a>'), "must lead to"),
        (div('<a href=" javascript:x()">a</a>'), "must lead to"),
        (div('<a href="java\nscript:x()">a</a>'), "must lead to"),
        (div('<a href="data:text/html,x">a</a>'), "must lead to"),
        (div('<a href="">a</a>'), "must lead to"),
        (div('<img src="https://x.example/seen.png"/>'), "src of an img"),
        (div('<img src="data:image/svg+xml;base64,AAAA"/>'), "src of an img"),
        (div('<p style="background: url(https://x.example)">a</p>'), "style"),
        (div('<p style="background: u\\72l(x)">a</p>'), "style"),
        (div('<p style="width: expression(x)">a</p>'), "style"),
        (div('<p style="position: fixed">a</p>'), "style"),
        (div("<p style=\"background-image: image-set('https://x.example/a.png' 1x)\">a</p>"), "style"),
        (div('<p style="background: cross-fade(https://x.example/a.png, red)">a</p>'), "style"),
        (div('<p style="background: src(//x.example/a.png)">a</p>'), "style"),
        (div('<p style="background: attr(title)">a</p>'), "style"),
        (div('<p style="cursor: URL (x), auto">a</p>'), "style"),
        (div('<p style="background:u&#114;l(x)">a</p>'), "style"),
        (div('<p style="&#64;import x">a</p>'), "style"),
        (div('<p style="behaviour: x">a</p>'), "style"),
        (div('<p style="-moz-binding: x">a</p>'), "style"),
        (div('<p style="a: b /* c */">a</p>'), "style"),
        (div('<p style="p\x00osition: fixed">a</p>'), "character"),
        (div('<a href="vbscript:x()">a</a>'), "must lead to"),
        (div('<a href="java&#x09;script:x()">a</a>'), "must lead to"),
        (div('<a href="blob:https://x.example/1">a</a>'), "must lead to"),
        (div('<a href="file:///etc/passwd">a</a>'), "must lead to"),
        (div('<a href="https://x.example/" target="_blank">a</a>'), "attribute target"),
        (div('<a href="https://x.example/" ping="https://y.example">a</a>'), "attribute ping"),
        (div('<img src="javascript:x()"/>'), "src of an img"),
        (div('<img src="//x.example/seen.png"/>'), "src of an img"),
        (div('<img src="data:text/html;base64,AAAA"/>'), "src of an img"),
        (div('<img src="#a" srcset="https://x.example/b.png 2x"/>'), "attribute srcset"),
        (div('<img src="#a" onerror="x()"/>'), "attribute onerror"),
        (
            div('<table background="https://x.example/b.png"><tr><td>a</td></tr></table>'),
            "attribute background",
        ),
        (div("<base href='https://x.example/'/>a"), "element base"),
        (div("<meta http-equiv='refresh' content='0'/>a"), "element meta"),
        (div("<video src='x'></video>"), "element video"),
        (div("<audio src='x'></audio>"), "element audio"),
        (div("<embed src='x'/>"), "element embed"),
        (div("<math><mtext>a</mtext></math>"), "element math"),
        (div("<template><p>a</p></template>"), "element template"),
        (div("<xml:p>a</xml:p>"), "not well-formed"),
        (div('<p xlink:href="x">a</p>'), "attribute xlink:href"),
        (div("a&#0;b"), "character"),
        (div("a&#8;b"), "character"),
        (div("a&#xD800;b"), "character"),
        (div("a\x00b"), "character"),
        (div("a\x1bb"), "character"),
        (div("<scr<script>ipt>a</script>"), "not well-formed"),
        (div("<p/onclick=x>a</p>"), "not well-formed"),
        (div('<p xmlns="http://www.w3.org/2000/svg">a</p>'), "namespace"),
        ("<div><p>a</p></div>", "xmlns"),
        (div("a &nbsp; b"), "entity"),
        (div("a & b"), "entity"),
        (div('<p title="&nbsp;">a</p>'), "entity"),
        (div("<b>" * 300), "levels deep"),
        (div("<p>a"), "not closed"),
        (div("<p>a</div>"), "not closed"),
        (div("<b><i>a</b></i>"), "not closed"),
        (div("a<br>b"), "not closed"),
        (div("<p title=x>a</p>"), "not well-formed"),
        (div("<p title>a</p>"), "not well-formed"),
        (div('<p title="a" title="b">a</p>'), "twice"),
        (div("<p><div>a</div></p>"), "inside p"),
        (div("<![CDATA[<script>]]>"), "not well-formed"),
        (div("<?php x ?>a"), "not well-formed"),
        (div("a <!-- b -- c -->"), "not well-formed"),
        (div("a ]]> b"), "]]>"),
        (div("a < b"), "not well-formed"),
        (div("a") + div("b"), "follows"),
        (div("a") + "b", "follows"),
        (div(""), "says nothing"),
        (div(" <p>\n</p> "), "says nothing"),
        ('<!DOCTYPE div><div xmlns="http://www.w3.org/1999/xhtml">a</div>', "one div"),
        ("just text", "one div"),
        ('<p xmlns="http://www.w3.org/1999/xhtml">a</p>', "one div"),
        ('<divx xmlns="http://www.w3.org/1999/xhtml">a</divx>', "element divx"),
    ],
)
def test_is_refused(text: str, words: str):
    found = problem(text)
    assert found is not None
    assert words in found


def test_the_text_of_the_narrative_is_never_repeated():
    assert "Sentinel" not in str(problem(div('<p title="Sentinel" onclick="Sentinel">Sentinel</p>')))
    assert "Sentinel" not in str(problem(div(f"<{'Sentinel' * 4}>x</{'Sentinel' * 4}>")))


def test_a_link_into_the_resource_must_lead_somewhere():
    text = div('<a href="#here">x</a><a href="#n1">y</a><a name="here">z</a>')
    assert open_fragments(text) == ["n1"]
    resource = {"resourceType": "Patient", "text": {"status": "generated", "div": text}}
    assert [(i.code, i.expression) for i in validate(resource)] == [("not-found", "Patient.text.div")]
    assert validate(resource | {"name": [{"id": "n1", "text": "A."}]}) == []


@pytest.mark.parametrize("value", [1, None, [], {}, ""])
def test_a_div_is_text(value: object):
    resource = {"resourceType": "Patient", "text": {"status": "generated", "div": value}}
    assert [issue.expression for issue in validate(resource)] == ["Patient.text.div"]
