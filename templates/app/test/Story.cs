using System;
using System.Linq;
using System.Net.Http;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;

namespace Altinn.App.Test
{
    /// <summary>What somebody does with the app, from the log-in to the receipt, and what is refused on the way.</summary>
    public class Story
    {
        /// <summary>Sophie Salt, and Ola Nordmann, who is nothing to her.</summary>
        private const int Sophie = 1337;
        private const int SophieParty = 501337;
        private const int Ola = 12345;
        private static readonly byte[] Pdf = Encoding.ASCII.GetBytes("%PDF-1.4\n%%EOF\n");

        private readonly AppClient app;
        private readonly Platform platform;
        private readonly Cases cases;
        private string sophie;
        private string ola;
        private string instance;
        private string form;
        private string file;

        public Story(AppClient app, Platform platform, Cases cases)
        {
            this.app = app;
            this.platform = platform;
            this.cases = cases;
        }

        public async Task Play()
        {
            sophie = await platform.User(Sophie);
            ola = await platform.User(Ola);
            await cases.Case("the page and what it is made of need no log-in", Open);
            await cases.Case("everything else needs a token, and a true one", Strangers);
            await cases.Case("a user is known, and whom they may act for", User);
            await cases.Case("an instance is made, with an empty form, in the first task", Instantiate);
            await cases.Case("nothing is made or shown for somebody else's party", Others);
            await cases.Case("a log-in that is not strong enough is told which would be", Weak);
            await cases.Case("the form is saved, and calculated with", Save);
            await cases.Case("what does not fit is refused, and changes nothing", Misfits);
            await cases.Case("a cookie alone is no proof that a page of this app asks", Forged);
            await cases.Case("files are taken, listed, given back, removed", Files);
            await cases.Case("files that are not allowed are refused", BadFiles);
            await cases.Case("what is incomplete is not sent in", Incomplete);
            await cases.Case("the instance is among the active ones", () => Active(true));
            await cases.Case("a complete form is sent in", Submit);
            await cases.Case("what was sent in is locked, and can be read", Locked);
            await cases.Case("the instance is no longer among the active ones", () => Active(false));
            await cases.Case("the service owner reads it and confirms it", Owner);
            await cases.Case("an unfinished instance can be deleted", Delete);
        }

        private string Path(string rest = "") => $"/instances/{instance}{rest}";

        private async Task Open()
        {
            foreach (string path in new[] { "", "/", "/css/app.css", "/js/app.js", "/api/v1/applicationmetadata", "/api/v1/texts/nb", "/api/layoutsets", "/api/layouts/form", "/api/jsonschema/model", "/api/options/event-types" })
            {
                (await app.Get(path)).Is(200);
            }
        }

        private async Task Strangers()
        {
            string nobody = $"/instances/{SophieParty}/{Guid.NewGuid()}";
            string[] parts = sophie.Split('.');
            string unsigned = Encode("{\"alg\":\"none\"}") + "." + parts[1] + ".";
            string changed = parts[0] + "." + Encode(Encoding.UTF8.GetString(Decode(parts[1])).Replace("1337", "1001")) + "." + parts[2];
            string otherKey = Encode("{\"alg\":\"RS256\",\"kid\":\"nobody's\"}") + "." + parts[1] + "." + parts[2];
            foreach (string token in new[] { null, "nonsense", unsigned, changed, otherKey })
            {
                (await app.Get("/api/v1/profile/user", token)).Is(401);
                (await app.Get("/api/v1/parties", token)).Is(401);
                (await app.Send(HttpMethod.Post, $"/instances?instanceOwnerPartyId={SophieParty}", token, null)).Is(401);
                (await app.Get(nobody, token)).Is(401);
                (await app.Send(HttpMethod.Put, nobody + "/process/next", token, null)).Is(401);
            }
        }

        private async Task User()
        {
            JsonElement profile = (await app.Get("/api/v1/profile/user", sophie)).Is(200).Json;
            Cases.Same(Sophie, profile.GetProperty("userId").GetInt32(), "the user");
            Cases.True(profile.GetProperty("party").GetProperty("ssn").GetString().EndsWith("*****"), "the person's number is masked");
            JsonElement parties = (await app.Get("/api/v1/parties?allowedtoinstantiatefilter=true", sophie)).Is(200).Json;
            Cases.True(parties.EnumerateArray().Any(party => party.GetProperty("name").GetString() == "DDG Fitness"), "Sophie may choose DDG Fitness");
            Reply chosen = (await app.Send(HttpMethod.Put, "/api/v1/parties/500000", sophie, null)).Is(200);
            Cases.Same("\"Party successfully updated\"", chosen.Text, "the answer");
            Cases.True(chosen.Cookies.Any(cookie => cookie.StartsWith("AltinnPartyId=500000")), "the choice is a cookie");
            (await app.Send(HttpMethod.Put, "/api/v1/parties/500000", ola, null)).Is(400);
            (await app.Get("/api/authentication/keepAlive", sophie)).Is(200);
        }

        private async Task Instantiate()
        {
            Reply made = (await app.Send(HttpMethod.Post, $"/instances?instanceOwnerPartyId={SophieParty}", sophie, null)).Is(201);
            instance = made.Json.GetProperty("id").GetString();
            JsonElement element = made.Json.GetProperty("data").EnumerateArray().Single();
            form = element.GetProperty("id").GetString();
            Cases.Same("model", element.GetProperty("dataType").GetString(), "the data type");
            JsonElement process = (await app.Get(Path("/process"), sophie)).Is(200).Json;
            Cases.Same("Task_1", process.GetProperty("currentTask").GetProperty("elementId").GetString(), "the task");
            Cases.True(process.GetProperty("currentTask").GetProperty("write").GetBoolean(), "Sophie may write");
            (await app.Get($"/instances/{SophieParty}/{Guid.NewGuid()}", sophie)).Is(403, 404);
            (await app.Send(HttpMethod.Post, "/instances", sophie, null)).Is(400);
            (await app.Send(HttpMethod.Post, "/instances?instanceOwnerPartyId=somebody", sophie, null)).Is(400);
        }

        private async Task Others()
        {
            (await app.Send(HttpMethod.Post, $"/instances?instanceOwnerPartyId={SophieParty}", ola, null)).Is(403);
            (await app.Get(Path(), ola)).Is(403);
            (await app.Get(Path("/data/" + form), ola)).Is(403);
            (await app.Change(instance, form, ola, ("eventName", "Ola's"))).Is(403);
            (await app.Upload(instance, ola, "kart.pdf", "application/pdf", Pdf)).Is(403);
            (await app.Send(HttpMethod.Put, Path("/process/next"), ola, null)).Is(403);
            (await app.Send(HttpMethod.Delete, Path(), ola, null)).Is(403);

            // Sophie's instance under Ola's party is nobody's.
            (await app.Get("/instances/512345/" + instance.Split('/')[1], ola)).Is(403, 404);
        }

        private async Task Weak()
        {
            Reply refused = (await app.Get(Path(), await platform.User(Sophie, level: 1))).Is(403);
            Cases.Same("2", refused.Json.GetProperty("RequiredAuthenticationLevel").GetString(), "the level");
        }

        private async Task Save()
        {
            Reply saved = (await app.Change(instance, form, sophie, ("eventName", "Sommerfest"), ("participants", 40), ("costPerParticipant", 12.5), ("ownShare", 600))).Is(200);
            Cases.Same(500m, saved.Json.GetProperty("newDataModel").GetProperty("totalCost").GetDecimal(), "the total");
            JsonElement issues = saved.Json.GetProperty("validationIssues");
            Cases.Same("ownShare", issues.GetProperty("GrantValidation")[0].GetProperty("field").GetString(), "what is wrong by its own rule");
            Cases.Same("contactEmail", issues.GetProperty("DataAnnotations")[0].GetProperty("field").GetString(), "what is missing");

            Reply read = (await app.Get(Path("/data/" + form), sophie)).Is(200);
            Cases.Same("Sommerfest", read.Json.GetProperty("eventName").GetString(), "the name");
            Reply stored = (await platform.Ask($"/storage/api/v1{Path("/data/" + form)}", sophie)).Is(200);
            Cases.Same("application/xml", stored.Kind, "the content type in Storage");
            Cases.True(stored.Text.Contains("<totalCost>500"), "Storage has the total: " + stored.Text);
        }

        private async Task Misfits()
        {
            string path = Path("/data/" + form);
            (await app.Change(instance, form, sophie, ("participants", "many"))).Is(400);
            (await app.Change(instance, form, sophie, ("nothing", 1))).Is(422);
            (await app.SendText(HttpMethod.Patch, path, sophie, "{")).Is(400);
            (await app.SendText(HttpMethod.Patch, path, sophie, "{\"patch\":[{\"op\":\"test\",\"path\":\"/eventName\",\"value\":\"Another\"},{\"op\":\"replace\",\"path\":\"/eventName\",\"value\":\"X\"}]}")).Is(409);
            (await app.SendText(HttpMethod.Patch, path, sophie, "{\"patch\":[{\"op\":\"remove\",\"path\":\"/a/b\"}]}")).Is(422);
            (await app.SendText(HttpMethod.Put, path, sophie, "[]")).Is(400);
            (await app.Change(instance, Guid.NewGuid().ToString(), sophie, ("eventName", "X"))).Is(404);
            Cases.Same("Sommerfest", (await app.Get(path, sophie)).Is(200).Json.GetProperty("eventName").GetString(), "the name");
        }

        private async Task Forged()
        {
            string path = $"/instances?instanceOwnerPartyId={SophieParty}";
            (await app.SendWithCookie(HttpMethod.Post, path, sophie, null)).Is(400);
            (await app.SendWithCookie(HttpMethod.Post, path, sophie, "made-up")).Is(400);
            Reply page = (await app.SendWithCookie(HttpMethod.Get, "/", sophie, null)).Is(200);
            string proof = page.Cookies.Single(cookie => cookie.StartsWith("XSRF-TOKEN=")).Split('=', ';')[1];
            (await app.SendWithCookie(HttpMethod.Put, $"/api/v1/parties/{SophieParty}", sophie, proof)).Is(200);
            (await app.SendWithCookie(HttpMethod.Put, $"/api/v1/parties/512345", ola, proof)).Is(400);
        }

        private async Task Files()
        {
            Reply taken = (await app.Upload(instance, sophie, "kart over åsen.pdf", "application/pdf", Pdf)).Is(200);
            file = taken.Json.GetProperty("newDataElementId").GetString();
            JsonElement element = Element(taken.Json.GetProperty("instance"), file).Value;
            Cases.Same("kart over åsen.pdf", element.GetProperty("filename").GetString(), "the name");
            Reply given = (await app.Get(Path("/data/" + file), sophie)).Is(200);
            Cases.Same("application/pdf", given.Kind, "the content type");
            Cases.True(given.Bytes.SequenceEqual(Pdf), "the bytes come back as they were");

            string second = (await app.Upload(instance, sophie, "plan.txt", "text/plain", Encoding.UTF8.GetBytes("Kl. 18"))).Is(200).Json.GetProperty("newDataElementId").GetString();
            (await app.Send(HttpMethod.Delete, Path("/data/" + second), sophie, null)).Is(200);
            (await app.Get(Path("/data/" + second), sophie)).Is(404);
            Cases.True(Element((await app.Get(Path(), sophie)).Is(200).Json, second) == null, "it is gone from the list");
            (await app.Send(HttpMethod.Delete, Path("/data/" + form), sophie, null)).Is(400);
        }

        private async Task BadFiles()
        {
            await Refused("DataElementEmpty", "tom.pdf", "application/pdf", Array.Empty<byte>());
            await Refused("ContentTypeNotAllowed", "virus.exe", "application/x-msdownload", Pdf);
            await Refused("ContentTypeNotAllowed", "side.html", "application/octet-stream", Pdf);
            await Refused("InvalidFileType", "kart.pdf", "image/png", Pdf);
            await Refused("MissingFileName", "kart", "application/pdf", Pdf);
            await Refused("DataElementTooLarge", "stor.pdf", "application/pdf", new byte[(5 * 1024 * 1024) + 1]);
            foreach (int _ in Enumerable.Range(0, 2))
            {
                (await app.Upload(instance, sophie, "mer.pdf", "application/pdf", Pdf)).Is(200);
            }

            await Refused("TooManyDataElementsOfType", "fjerde.pdf", "application/pdf", Pdf);
            (await app.Send(HttpMethod.Post, Path("/data/model"), sophie, new { })).Is(400);
            (await app.Send(HttpMethod.Post, Path("/data/unheard-of"), sophie, new { })).Is(400);
        }

        private async Task Refused(string code, string name, string kind, byte[] content)
        {
            JsonElement issue = (await app.Upload(instance, sophie, name, kind, content)).Is(400).Json.GetProperty("uploadValidationIssues")[0];
            Cases.Same(code, issue.GetProperty("code").GetString(), $"the refusal of {name}");
        }

        private async Task Incomplete()
        {
            JsonElement refused = (await app.Send(HttpMethod.Put, Path("/process/next"), sophie, null)).Is(409).Json;
            string[] fields = refused.GetProperty("validationIssues").EnumerateArray().Select(issue => issue.GetProperty("field").GetString()).OrderBy(field => field).ToArray();
            Cases.Same("contactEmail ownShare", string.Join(" ", fields), "what is wrong");
            Cases.Same("Task_1", (await app.Get(Path("/process"), sophie)).Json.GetProperty("currentTask").GetProperty("elementId").GetString(), "the task");
            Cases.True(!Element((await app.Get(Path(), sophie)).Json, form).Value.GetProperty("locked").GetBoolean(), "the form stays open");
            Cases.Same(2, (await app.Get(Path("/validate"), sophie)).Is(200).Json.GetArrayLength(), "how much is wrong");
        }

        private async Task Active(bool there)
        {
            JsonElement active = (await app.Get($"/instances/{SophieParty}/active", sophie)).Is(200).Json;
            JsonElement[] mine = active.EnumerateArray().Where(one => one.GetProperty("id").GetString() == instance).ToArray();
            Cases.Same(there ? 1 : 0, mine.Length, "how often it is listed");
            Cases.True(!there || mine[0].GetProperty("lastChangedBy").GetString() == "Sophie Salt", "it is told by whose name it was changed");
        }

        private async Task Submit()
        {
            (await app.Change(instance, form, sophie, ("contactEmail", "sophie@example.com"), ("ownShare", 100))).Is(200);

            // Of two that send in at once, one does.
            Reply[] both = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => app.Send(HttpMethod.Put, Path("/process/next"), sophie, null)));
            Cases.Same(1, both.Count(reply => reply.Status == 200), "how often it was sent in");
            both.Single(reply => reply.Status != 200).Is(403, 409);
            JsonElement process = both.Single(reply => reply.Status == 200).Json;
            Cases.Same("EndEvent_1", process.GetProperty("endEvent").GetString(), "the end");

            JsonElement whole = (await app.Get(Path(), sophie)).Is(200).Json;
            Cases.True(whole.GetProperty("status").GetProperty("isArchived").GetBoolean(), "it is archived");
            Cases.True(whole.GetProperty("data").EnumerateArray().All(element => element.GetProperty("locked").GetBoolean()), "all its data are locked");
            JsonElement history = (await app.Get(Path("/process/history"), sophie)).Is(200).Json.GetProperty("processHistory");
            string[] kinds = history.EnumerateArray().Select(item => item.GetProperty("eventType").GetString()).ToArray();
            Cases.Same("process_StartEvent process_StartTask process_EndEvent", string.Join(" ", kinds), "the history");
        }

        private async Task Locked()
        {
            (await app.Change(instance, form, sophie, ("eventName", "Another"))).Is(403, 409);
            (await app.Upload(instance, sophie, "sent.pdf", "application/pdf", Pdf)).Is(403, 409);
            (await app.Send(HttpMethod.Delete, Path("/data/" + file), sophie, null)).Is(403, 409);
            (await app.Send(HttpMethod.Put, Path("/process/next"), sophie, null)).Is(403, 409);
            Cases.Same("Sommerfest", (await app.Get(Path("/data/" + form), sophie)).Is(200).Json.GetProperty("eventName").GetString(), "the name");
            (await app.Get(Path("/data/" + file), sophie)).Is(200);
        }

        private async Task Owner()
        {
            string owner = await platform.Owner(AppProcess.Id.Split('/')[0]);
            (await app.Get(Path(), owner)).Is(200);
            (await app.Change(instance, form, owner, ("eventName", "The owner's"))).Is(409);
            (await app.Send(HttpMethod.Post, Path("/complete"), sophie, null)).Is(403);
            JsonElement confirmed = (await app.Send(HttpMethod.Post, Path("/complete"), owner, null)).Is(200).Json;
            Cases.Same(1, confirmed.GetProperty("completeConfirmations").GetArrayLength(), "how many confirmed");
        }

        private async Task Delete()
        {
            string other = (await app.Send(HttpMethod.Post, $"/instances?instanceOwnerPartyId={SophieParty}", sophie, null)).Is(201).Json.GetProperty("id").GetString();
            (await app.Send(HttpMethod.Delete, $"/instances/{other}?hard=true", sophie, null)).Is(200);
            JsonElement active = (await app.Get($"/instances/{SophieParty}/active", sophie)).Is(200).Json;
            Cases.True(active.EnumerateArray().All(one => one.GetProperty("id").GetString() != other), "it is not listed any more");
        }

        private static JsonElement? Element(JsonElement whole, string id) =>
            whole.GetProperty("data").EnumerateArray().Where(element => element.GetProperty("id").GetString() == id).Select(element => (JsonElement?)element).FirstOrDefault();

        private static string Encode(string text) =>
            Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

        private static byte[] Decode(string part)
        {
            string plain = part.Replace('-', '+').Replace('_', '/');
            return Convert.FromBase64String(plain + new string('=', (4 - (plain.Length % 4)) % 4));
        }
    }
}
