// The JSON API. A failed request is an Error whose message is the server's own
// sentence.

async function get(path, accept) {
	let response;
	try {
		response = await fetch(path, {headers: {Accept: accept}, cache: "no-store"});
	} catch {
		throw new Error("the server does not answer");
	}
	const text = await response.text();
	if (!response.ok) {
		let message = `the server answered ${response.status}`;
		try {
			message = JSON.parse(text).error.message;
		} catch {
			// not the server's own answer: the status has to do
		}
		throw new Error(message);
	}
	return text;
}

export async function getJson(path) {
	return JSON.parse(await get(`/api/v1/${path}`, "application/json"));
}

export function getText(path) {
	return get(`/api/v1/${path}`, "text/plain");
}
