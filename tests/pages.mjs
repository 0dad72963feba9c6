// The page in a real browser, on real results. Prints `ok NAME` and `not ok NAME`.
// Usage: node tests/pages.mjs ADDRESS SCREENSHOT_DIR   (needs one finished submission)
import {createRequire} from "node:module";
import path from "node:path";
import process from "node:process";

const require = createRequire(path.join(process.cwd(), "build/npm/"));
const {chromium} = require("playwright-core");
const [address, shots] = process.argv.slice(2);

let failed = false;
function check(name, good, detail = "") {
	console.log(`${good ? "ok" : "not ok"} ${name}`);
	if (!good) {
		failed = true;
		console.log(String(detail).slice(0, 600));
	}
}

const browser = await chromium.launch({
	executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync"],
});
try {
	const context = await browser.newContext({viewport: {width: 1280, height: 900}});
	const page = await context.newPage();
	const problems = [], foreign = [];
	page.on("console", message => {
		if (["error", "warning"].includes(message.type()))
			problems.push(message.text());
	});
	page.on("pageerror", error => problems.push(error.message));
	page.on("request", request => {
		if (!request.url().startsWith(address))
			foreign.push(request.url());
	});

	const api = async what => (await context.request.get(`${address}/api/v1/${what}`)).json();
	const {submissions} = await api("submissions?limit=100");
	const comparison = await api("comparisons/latest");
	const submission = submissions.find(s => s.id === comparison.submission);

	await page.goto(`${address}/`);
	await page.waitForSelector("main table");
	check("the list shows every submission", await page.locator("main tbody tr").count() === submissions.length);
	await page.screenshot({path: `${shots}/list.png`});

	await page.keyboard.press("Tab");
	const skip = await page.evaluate(() => document.activeElement.textContent);
	check("the keyboard reaches the skip link first", skip === "Skip to the content", skip);

	await page.click(`main a[href="#/submission/${submission.id}"] >> nth=0`);
	await page.waitForSelector("pre");
	const heading = await page.textContent("h1");
	check("a submission has its title", heading === `#${submission.id} ${submission.title}`, heading);
	const words = await page.locator(".verdict").allTextContents();
	check("every cell has a verdict", words.length === comparison.cells.length, words.length);
	check("instruction counts are more or fewer, never slower or faster",
		!words.some((w, i) => comparison.cells[i].metric === "instructions" && /slower|faster/.test(w)), words);
	const text = await (await context.request.get(`${address}/api/v1/comparisons/${submission.id}?format=text&table=all`)).text();
	check("the mail's tables are the API's, to the byte", await page.textContent("pre") === text);
	const body = await page.textContent("body");
	check("a virtual board's numbers are marked as emulated", /emulated, not time/.test(body));
	await page.screenshot({path: `${shots}/submission.png`, fullPage: true});

	const cell = comparison.cells.find(c => c.change !== null);
	await page.click(`main td a:text-is("${cell.case}") >> nth=0`);
	await page.waitForSelector("#plot canvas");
	const samples = await api(`submissions/${submission.id}/samples?case=${encodeURIComponent(cell.case)}`);
	const counted = samples.rows.filter(r => r.valid).map(r => r.samples.length - r.warmup).reduce((a, b) => a + b, 0);
	const shown = (await page.locator("main tbody >> nth=0 >> td:nth-child(3)").allTextContents()).map(Number).reduce((a, b) => a + b, 0);
	check("the plot's table counts every sample", counted > 0 && shown === counted, `${shown} of ${counted}`);
	const painted = await page.evaluate(() => {
		const canvas = document.querySelector("#plot canvas");
		const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		const seen = new Set();
		for (let i = 0; i < data.length; i += 4)
			if (data[i + 3] > 200)
				seen.add((data[i] >> 4) * 256 + (data[i + 1] >> 4) * 16 + (data[i + 2] >> 4));
		return seen.size;
	});
	check("dots are painted", painted > 2, painted);
	const {profiles} = await api(`submissions/${submission.id}/profiles?case=${encodeURIComponent(cell.case)}`);
	const profiled = profiles.filter(p => p.run === 0 && p.board === cell.board);
	const headings = await page.locator("h3").allTextContents();
	check("what makes the difference is told where boots counted it",
		profiled.length ? headings.length === profiled.length - 1 : headings.length === 0, headings);
	await page.check("#warm");
	await page.screenshot({path: `${shots}/cell.png`, fullPage: true});

	await page.goto(`${address}/#/boards`);
	await page.waitForSelector("main table");
	check("boards are listed", (await page.textContent("main")).includes("qemu-det"));

	const {alerts} = await api("alerts?limit=200");
	await page.goto(`${address}/#/alerts`);
	await page.waitForFunction(() => document.querySelector("h1")?.textContent === "Alerts");
	check("every alert is listed", await page.locator("main tbody tr").count() === alerts.length, alerts.length);
	if (alerts.length) {
		const story = await api(`alerts/${alerts[0].id}`);
		await page.click(`main a[href="#/alert/${story.id}"] >> nth=0`);
		await page.waitForFunction(text => document.querySelector("h1")?.textContent.includes(text), story.title);
		const told = await page.textContent("main");
		check("an alert shows its story", story.steps.every(s => told.includes(s.why)), told);
		await page.screenshot({path: `${shots}/alert.png`, fullPage: true});
	}

	await page.setViewportSize({width: 390, height: 800});
	await page.goto(`${address}/#/submission/${submission.id}`);
	await page.waitForSelector("pre");
	const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
	check("a narrow screen does not scroll sideways", wide <= 0, wide);
	await page.screenshot({path: `${shots}/narrow.png`});

	const broken = submissions.find(s => s.state === "failed");
	if (broken) {
		await page.setViewportSize({width: 1280, height: 900});
		await page.goto(`${address}/#/submission/${broken.id}`);
		await page.waitForFunction(title => document.querySelector("h1")?.textContent.includes(title), broken.title);
		const said = await page.textContent("main");
		check("a failed submission says why", broken.why.length > 10 && said.includes(broken.why), said);
		check("and shows no verdicts of kernels that never ran", await page.locator(".verdict").count() === 0);
		await page.screenshot({path: `${shots}/failed.png`, fullPage: true});
	} else {
		check("a failed submission says why", false, "there is none to look at");
	}

	await page.goto(`${address}/#/submission/999999`);
	await page.waitForSelector("[role=alert]");
	check("an unknown submission is told in a sentence", /999999|not|no /.test(await page.textContent("[role=alert]")));
	await page.goto(`${address}/#/track/999999/history?case=fork/order=0,size=256M`);
	await page.waitForFunction(() => /track/.test(document.querySelector("[role=alert]")?.textContent ?? ""));
	check("a history of an unknown track is told in a sentence", /no track 999999/.test(await page.textContent("[role=alert]")));
	const wanted = problems.filter(p => !/404/.test(p));
	check("no errors in the console", wanted.length === 0, wanted.join("\n"));
	check("nothing is fetched from elsewhere", foreign.length === 0, foreign.join("\n"));
} catch (error) {
	check("the pages could be walked", false, error.stack);
} finally {
	await browser.close();
}
process.exit(failed ? 1 : 0);
