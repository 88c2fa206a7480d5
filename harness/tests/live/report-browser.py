# SPDX-License-Identifier: MIT
"""The pages of report.t in a real Chromium: filters and links clicked, the keyboard used, both colour schemes, a phone, paper.

report-browser.py ONE PLAIN SEVERAL EVIL [DIRECTORY for screenshots]: prints a line "ok - what" or "not ok - what" per assertion.
PLAIN is ONE without a chart library. Exits 0 when it came to its end.
"""
import base64
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

ONE, PLAIN, SEVERAL, EVIL = sys.argv[1:5]
SHOTS = sys.argv[5] if len(sys.argv) > 5 else None


def ok(what, held, *details):
    print(("ok - " if held else "not ok - ") + what)
    if not held:
        for detail in details:
            print("# " + str(detail).replace("\n", " ")[:600])
    sys.stdout.flush()


def start(scripts=True):
    options = Options()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--hide-scrollbars"):
        options.add_argument(argument)
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    if not scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def look(browser, width=1280, height=900, dark=False, media=""):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "media": media, "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})


def load(browser, page, anchor=""):
    browser.get("about:blank")
    browser.get("file://" + page + anchor)


def shot(browser, name):
    if SHOTS:
        browser.save_screenshot(f"{SHOTS}/{name}.png")


def wait(browser, condition):
    try:
        return WebDriverWait(browser, 20).until(lambda b: condition())
    except Exception:  # what did not happen is an assertion that fails
        return None


def requests(browser):
    """Addresses that were asked for, the page's own aside."""
    import json
    found = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            if not url.startswith("file:///") or not url.split("#")[0].endswith(".html"):
                found.append(url)
    return [url for url in found if not url.startswith(("about:", "chrome:", "data:,"))]


# Contrast of every visible text against what is behind it, as WCAG computes it; returns what is below 4.5.
CONTRAST = """
function rgb(c) { var m = c.match(/[0-9.]+/g).map(Number); if (m.length < 4) m.push(1); return m; }
function lum(c) { return [0.2126, 0.7152, 0.0722].reduce(function (sum, w, i) {
	var v = c[i] / 255; return sum + w * (v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4)); }, 0); }
function behind(e) { for (; e; e = e.parentElement) { var c = rgb(getComputedStyle(e).backgroundColor); if (c[3] > 0) return c; }
	return rgb(getComputedStyle(document.documentElement).backgroundColor)[3] ? rgb(getComputedStyle(document.documentElement).backgroundColor) : [255, 255, 255, 1]; }
var low = [], seen = {}, texts = 0;
document.querySelectorAll("body *").forEach(function (e) {
	var own = Array.prototype.some.call(e.childNodes, function (n) { return n.nodeType === 3 && n.data.trim(); });
	if (!own || e.closest("script, style") || !e.getClientRects().length) return;
	var style = getComputedStyle(e), ink = rgb(e instanceof SVGElement ? style.fill : style.color), ground = behind(e);
	var key = ink + "/" + ground; texts++;
	if (seen[key]) return;
	seen[key] = 1;
	var a = lum(ink), b = lum(ground), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
	if (ratio < 4.5) low.push(e.tagName + "." + (e.className.baseVal || e.className) + " " + ratio.toFixed(2) + " " + e.textContent.slice(0, 20));
});
return [texts, low];
"""

STRUCTURE = """
var bad = [], last = 0, ids = {};
document.querySelectorAll("h1,h2,h3,h4,h5,h6").forEach(function (h) {
	var level = Number(h.tagName[1]);
	if (level > last + 1 && last) bad.push("heading " + h.tagName + " after H" + last + ": " + h.textContent.slice(0, 30));
	last = level;
});
if (document.querySelectorAll("h1").length !== 1) bad.push("not one h1");
document.querySelectorAll("table").forEach(function (t) {
	if (!t.caption) bad.push("a table without caption");
	if (!t.querySelector("th[scope]")) bad.push("a table without th scope: " + t.caption.textContent);
});
document.querySelectorAll("[id]").forEach(function (e) { if (ids[e.id]) bad.push("two of id " + e.id); ids[e.id] = 1; });
document.querySelectorAll("a[href^='#']").forEach(function (a) { if (!ids[a.getAttribute("href").slice(1)]) bad.push("link to nothing: " + a.href); });
document.querySelectorAll("svg").forEach(function (s) { if (!s.getAttribute("aria-label")) bad.push("a drawing without a name"); });
document.querySelectorAll("input,select").forEach(function (i) { if (!i.labels.length) bad.push("a control without a label"); });
document.querySelectorAll("button").forEach(function (i) { if (!i.textContent.trim()) bad.push("a button without a name"); });
if (!document.documentElement.lang || !document.title) bad.push("no language or no title");
return bad;
"""


def shown(browser, selector):
    return browser.execute_script(
        "return Array.prototype.filter.call(document.querySelectorAll(arguments[0]), e => !e.hidden).length", selector)


def press(browser, *keys):
    for key in keys:
        browser.switch_to.active_element.send_keys(key)


def test_filter(browser, page, word):
    load(browser, page)
    rows = shown(browser, "table.top tbody tr")
    chip = browser.find_element(By.CSS_SELECTOR, f'.chip[data-filter="{word}"] button')
    expected = int(chip.find_element(By.TAG_NAME, "b").text)
    chip.click()
    now = shown(browser, "table.top tbody tr")
    ok(f"a click on '{word}' leaves as many rows as it counts", now == expected < rows, now, expected, rows)
    ok("it says that it is pressed", chip.get_attribute("aria-pressed") == "true")
    ok("sections are filtered with it", shown(browser, "section.scenario") <= now and shown(browser, "section.scenario") > 0)
    chip.click()
    ok("another click brings all back", shown(browser, "table.top tbody tr") == rows)
    search = browser.find_element(By.CSS_SELECTOR, "#filter input")
    search.send_keys("address-space-limit/mmap")
    found = shown(browser, "table.top tbody tr")
    ok("a search finds", 1 <= found < rows, found)
    ok("the number is told to who does not see", f"{found} of {rows}" in browser.find_element(By.CSS_SELECTOR, "#filter [role=status]").text)
    # A link into what the filter hides shows it.
    browser.execute_script("location.hash = 'scenario-pids-max'")
    wait(browser, lambda: not browser.execute_script("return document.getElementById('scenario-pids-max').hidden"))
    ok("a link undoes a filter that hides its section", shown(browser, "table.top tbody tr") == rows)


def test_links(browser):
    load(browser, ONE)
    link = browser.find_element(By.PARTIAL_LINK_TEXT, "address-space-limit/mremap")
    link.click()
    top = browser.execute_script("return document.getElementById('scenario-address-space-limit').getBoundingClientRect().top")
    ok("a link leads to its section", -5 <= top < 400 and "#scenario-address-space-limit" in browser.current_url, top)
    shot(browser, "section")
    browser.find_element(By.CSS_SELECTOR, "#scenario-address-space-limit .up a").click()
    ok("and back", browser.execute_script("return scrollY") < 50)


def test_keyboard(browser):
    load(browser, ONE)
    browser.execute_script("document.body.focus()")
    reached = []
    for _ in range(14):
        press(browser, Keys.TAB)
        reached.append(browser.execute_script(
            "var e = document.activeElement; return e.tagName + ' ' + (e.textContent || e.type).trim().slice(0, 24) + ' ' + getComputedStyle(e).outlineStyle"))
    ok("the first stop leads to the table", reached[0].startswith("A To the table"), reached)
    ok("chips, search and class can be reached", sum(r.startswith("BUTTON") for r in reached) >= 5 and
       any(r.startswith("INPUT") for r in reached) and any(r.startswith("SELECT") for r in reached), reached)
    ok("whatever has the focus shows it", all(not r.endswith(" none") for r in reached), reached)
    chip = browser.find_element(By.CSS_SELECTOR, '.chip[data-filter="skip"] button')
    chip.send_keys(Keys.ENTER)
    ok("a chip is pressed by Enter", chip.get_attribute("aria-pressed") == "true")
    chip.send_keys(Keys.SPACE)
    ok("and released by the space bar", chip.get_attribute("aria-pressed") == "false")


def test_timeline(browser, library):
    load(browser, ONE, "#scenario-address-space-limit")
    figure = browser.find_element(By.CSS_SELECTOR, "#scenario-address-space-limit figure.timeline")
    if not library:
        print("ok - the timeline comes alive # SKIP needs chart.js: apt-get install libjs-chart.js")
        return
    browser.execute_script("arguments[0].scrollIntoView()", figure)
    canvas = wait(browser, lambda: figure.find_elements(By.TAG_NAME, "canvas"))
    ok("the timeline comes alive", bool(canvas) and "live" in figure.get_attribute("class"), figure.get_attribute("class"))
    canvas[0].send_keys(Keys.ARROW_RIGHT)
    canvas[0].send_keys(Keys.ARROW_RIGHT)
    text = figure.find_element(By.CSS_SELECTOR, ".reading").text
    ok("arrow keys read its values", "iB" in text and "s: " in text, text)
    ok("only one of drawing and canvas is seen", not figure.find_element(By.TAG_NAME, "svg").is_displayed())
    shot(browser, "timeline")
    look(browser, media="print")
    ok("on paper it is the drawing", figure.find_element(By.TAG_NAME, "svg").is_displayed() and not canvas[0].is_displayed())
    look(browser)
    load(browser, PLAIN, "#scenario-address-space-limit")
    figure = browser.find_element(By.CSS_SELECTOR, "#scenario-address-space-limit figure.timeline")
    ok("without a library it is the drawing", figure.find_element(By.TAG_NAME, "svg").is_displayed() and
       not figure.find_elements(By.TAG_NAME, "canvas"))
    ok("whose points tell their values", "iB at" in figure.find_element(By.CSS_SELECTOR, "circle title").get_attribute("textContent"))


# What reaches beyond the screen, and is in nothing that scrolls.
CUT = """
function scrolls(e) { for (; e && e !== document.body; e = e.parentElement) if (/auto|scroll/.test(getComputedStyle(e).overflowX)) return true; return false; }
return Array.prototype.filter.call(document.body.querySelectorAll('*'), e => e.getBoundingClientRect().right > arguments[0] + 1 && !scrolls(e))
	.map(e => e.outerHTML.slice(0, 80)).slice(0, 5);
"""


def test_looks(browser):
    for name, page in (("one", ONE), ("several", SEVERAL)):
        for dark in (False, True):
            look(browser, dark=dark)
            load(browser, page)
            browser.execute_script("document.querySelectorAll('section.scenario').forEach((s, i) => { if (i < 4) s.querySelectorAll('details').forEach(d => { d.open = true; }); s.style.contentVisibility = 'visible'; })")
            time.sleep(0.3)
            texts, low = browser.execute_script(CONTRAST)
            ok(f"{name}, {'dark' if dark else 'light'}: {'every' if texts else 'no'} text has a contrast of 4.5", texts > 100 and not low, texts, low)
            ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
            ok(f"{name}, {'dark' if dark else 'light'}: so is the ground", (ground == "rgb(13, 17, 23)") == dark, ground)
            browser.execute_script("scrollTo(0, 0)")
            shot(browser, f"{name}-{'dark' if dark else 'light'}")
        for width in (320, 360, 390, 768):
            look(browser, width=width, height=800)
            load(browser, page)
            browser.execute_script("document.querySelectorAll('section.scenario').forEach((s, i) => { if (i < 4) s.querySelectorAll('details').forEach(d => { d.open = true; }); s.style.contentVisibility = 'visible'; })")
            wide = browser.execute_script("return document.documentElement.scrollWidth")
            ok(f"{name}, {width} pixels wide: nothing is to the right of the screen", wide <= width, wide)
            cut = browser.execute_script(CUT, width)
            ok(f"{name}, {width} pixels wide: what is wider scrolls in a place of its own", not cut, cut)
            facts = browser.execute_script("var f = document.querySelector('table.hosts'), p = f.parentNode; return [f.rows.length, p.scrollWidth - p.clientWidth]")
            ok(f"{name}, {width} pixels wide: all facts can be read", facts[0] > 5 and facts[1] <= 0, facts)
            shot(browser, f"{name}-{width}")
            if width == 390:
                browser.execute_script("document.querySelector('section.scenario .evidence').scrollIntoView()")
                time.sleep(0.5)
                shot(browser, f"{name}-{width}-section")
        look(browser)
        load(browser, page)
        bad = browser.execute_script(STRUCTURE)
        ok(f"{name}: headings, tables, ids, links and names", not bad, bad)
    look(browser)
    load(browser, ONE)
    browser.execute_script("document.querySelector('h1').innerHTML = '<i style=\"color: #999\">x</i>'; document.querySelector('i').style.color = '#bbb'")
    ok("the test of contrast sees what is too pale", len(browser.execute_script(CONTRAST)[1]) > 0)
    look(browser, width=360, height=800)
    load(browser, ONE)
    browser.execute_script("var d = document.createElement('table'); d.insertRow().insertCell().textContent = 'x'; d.style.minWidth = '500px'; document.body.appendChild(d)")
    ok("the test of what is cut sees a table that is", len(browser.execute_script(CUT, 360)) > 0)
    look(browser)
    load(browser, ONE)
    browser.execute_script("document.querySelector('h2').outerHTML = '<h6>x</h6>'; document.querySelector('table.top').deleteCaption()")
    ok("the test of structure sees what is wrong", len(browser.execute_script(STRUCTURE)) >= 2)


def test_quiet(browser):
    for name, page in (("one", ONE), ("several", SEVERAL), ("evil", EVIL)):
        browser.get_log("performance")
        browser.get_log("browser")
        load(browser, page)
        time.sleep(0.5)
        asked, told = requests(browser), [m for m in browser.get_log("browser") if m["level"] in ("SEVERE", "WARNING")]
        ok(f"{name}: nothing is asked for", not asked, asked)
        ok(f"{name}: the console is silent", not told, told)
    ok("hostile text made no element", browser.execute_script("return document.querySelectorAll('svg[onload], img, iframe, object, embed, link').length") == 0)
    ok("and the page works", shown(browser, "table.top tbody tr") > 0 and len(browser.find_elements(By.CSS_SELECTOR, ".chip button")) >= 5)
    # The policy holds where escaping would not have: what is put in by force neither runs nor loads.
    browser.get_log("performance")
    browser.execute_script("var d = document.createElement('div'); d.innerHTML = '<img src=\"http://127.0.0.1:9/x.png\" onerror=\"window.ran = 1\"><a onclick=\"window.ran = 1\">x</a>'; document.body.appendChild(d); d.querySelector('a').click()")
    time.sleep(0.5)
    ok("the policy stops what was forced in", browser.execute_script("return window.ran === undefined"))


def test_print(browser):
    load(browser, ONE)
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    ok("it is printed", pdf.startswith(b"%PDF") and len(pdf) > 20000, len(pdf))
    if SHOTS:
        with open(f"{SHOTS}/one.pdf", "wb") as out:
            out.write(pdf)
    ok("details are closed again", browser.execute_script("return document.querySelectorAll('details[data-printed]').length") == 0)


def test_no_scripts():
    browser = start(scripts=False)
    try:
        look(browser)
        load(browser, ONE)
        ok("without scripts: all rows and drawings are there", len(browser.find_elements(By.CSS_SELECTOR, "table.top tbody tr")) > 2 and
           browser.find_element(By.CSS_SELECTOR, "figure.timeline svg") is not None)
        ok("without scripts: no dead control", not browser.find_elements(By.CSS_SELECTOR, "button, input, select"))
        browser.find_element(By.CSS_SELECTOR, "section.scenario details summary").click()
        ok("without scripts: the counts are there", "pass" in browser.find_element(By.CSS_SELECTOR, ".chips").text)
    finally:
        browser.quit()


def main():
    with open(ONE, encoding="utf-8") as page:
        library = "Chart.js v" in page.read()
    browser = start()
    try:
        look(browser)
        test_quiet(browser)
        test_filter(browser, ONE, "skip")
        test_filter(browser, SEVERAL, "differs")
        test_links(browser)
        test_keyboard(browser)
        test_timeline(browser, library)
        test_looks(browser)
        test_print(browser)
    finally:
        browser.quit()
    test_no_scripts()
    return 0


sys.exit(main())
