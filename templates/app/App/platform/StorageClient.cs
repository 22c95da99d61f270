using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Threading.Tasks;
using Altinn.App.Security;

namespace Altinn.App.Platform
{
    /// <summary>Instances, their data and their process, kept by Storage.</summary>
    public class StorageClient
    {
        private const string Service = "Storage";

        private readonly PlatformClient platform;

        public StorageClient(PlatformClient platform)
        {
            this.platform = platform;
        }

        public Task<Instance> Create(Caller caller, string appId, Instance template) =>
            platform.Ask<Instance>(HttpMethod.Post, Service, $"instances?appId={appId}", caller, PlatformClient.Json(template));

        public Task<Instance> Get(Caller caller, InstanceId id) =>
            platform.Ask<Instance>(HttpMethod.Get, Service, $"instances/{id}", caller);

        public Task<Instance> Delete(Caller caller, InstanceId id, bool hard) =>
            platform.Ask<Instance>(HttpMethod.Delete, Service, $"instances/{id}?hard={(hard ? "true" : "false")}", caller);

        public Task<Instance> Confirm(Caller caller, InstanceId id) =>
            platform.Ask<Instance>(HttpMethod.Post, Service, $"instances/{id}/complete", caller);

        public Task<Instance> MarkRead(Caller caller, InstanceId id) =>
            platform.Ask<Instance>(HttpMethod.Put, Service, $"instances/{id}/readstatus?status=Read", caller);

        /// <summary>A party's instances that are neither sent in nor deleted, over all pages of the answer.</summary>
        public async Task<List<Instance>> Active(Caller caller, string appId, int party)
        {
            var all = new List<Instance>();
            string next = $"instances?appId={appId}&instanceOwner.partyId={party}&status.isArchived=false&status.isSoftDeleted=false";
            while (!string.IsNullOrEmpty(next))
            {
                Page page = await platform.Ask<Page>(HttpMethod.Get, Service, next, caller);
                all.AddRange(page.Instances);

                // An absolute address; its path may have gone through a router, its query has not.
                next = page.Next == null ? null : "instances" + new Uri(page.Next).Query;
            }

            return all;
        }

        public async Task<byte[]> Read(Caller caller, InstanceId id, Guid element)
        {
            using HttpResponseMessage answer = await Open(caller, id, element);
            return await answer.Content.ReadAsByteArrayAsync();
        }

        /// <summary>The bytes as they come; the caller closes the answer.</summary>
        public async Task<HttpResponseMessage> Open(Caller caller, InstanceId id, Guid element)
        {
            HttpResponseMessage answer = await platform.Send(HttpMethod.Get, Service, $"instances/{id}/data/{element}", caller);
            await PlatformClient.Succeed(answer, Service);
            return answer;
        }

        public Task<DataElement> Add(Caller caller, InstanceId id, string dataType, byte[] content, string contentType, string fileName = null) =>
            platform.Ask<DataElement>(HttpMethod.Post, Service, $"instances/{id}/data?dataType={Uri.EscapeDataString(dataType)}", caller, Bytes(content, contentType, fileName));

        public Task<DataElement> Replace(Caller caller, InstanceId id, Guid element, byte[] content, string contentType, string fileName = null) =>
            platform.Ask<DataElement>(HttpMethod.Put, Service, $"instances/{id}/data/{element}", caller, Bytes(content, contentType, fileName));

        public Task<DataElement> Remove(Caller caller, InstanceId id, Guid element) =>
            platform.Ask<DataElement>(HttpMethod.Delete, Service, $"instances/{id}/data/{element}?delay=false", caller);

        /// <summary>Nobody changes the element until it is unlocked.</summary>
        public Task<DataElement> Lock(Caller caller, InstanceId id, string element) =>
            platform.Ask<DataElement>(HttpMethod.Put, Service, $"instances/{id}/data/{element}/lock", caller);

        public Task<DataElement> Unlock(Caller caller, InstanceId id, string element) =>
            platform.Ask<DataElement>(HttpMethod.Delete, Service, $"instances/{id}/data/{element}/lock", caller);

        public Task<Instance> Move(Caller caller, InstanceId id, ProcessState state, IEnumerable<InstanceEvent> events, InstanceLock held)
        {
            var headers = held == null ? null : new Dictionary<string, string> { [InstanceLock.Header] = held.LockToken };
            HttpContent body = PlatformClient.Json(new { state, events = events.ToList() });
            return platform.Ask<Instance>(HttpMethod.Put, Service, $"instances/{id}/process/instanceandevents?deleteGeneratedElements=false", caller, body, headers);
        }

        public Task<JsonElement> History(Caller caller, InstanceId id) =>
            platform.Ask<JsonElement>(HttpMethod.Get, Service, $"instances/{id}/process/history", caller);

        /// <summary>Takes the instance's lock, so that one step is taken at a time; 409 when somebody holds it.</summary>
        public Task<InstanceLock> TakeLock(Caller caller, InstanceId id) =>
            platform.Ask<InstanceLock>(HttpMethod.Post, Service, $"instances/{id}/lock", caller, PlatformClient.Json(new { ttlSeconds = 300 }));

        public async Task ReleaseLock(Caller caller, InstanceId id, InstanceLock held)
        {
            var headers = new Dictionary<string, string> { [InstanceLock.Header] = held.LockToken };
            HttpContent body = PlatformClient.Json(new { ttlSeconds = 0 });
            using HttpResponseMessage answer = await platform.Send(HttpMethod.Patch, Service, $"instances/{id}/lock", caller, body, headers);
            await PlatformClient.Succeed(answer, Service);
        }

        private static HttpContent Bytes(byte[] content, string contentType, string fileName)
        {
            var body = new ByteArrayContent(content);
            body.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
            if (fileName != null)
            {
                body.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileNameStar = fileName };
                body.Headers.ContentDisposition.FileName = Uri.EscapeDataString(fileName);
            }

            return body;
        }

        private class Page
        {
            public List<Instance> Instances { get; set; } = new List<Instance>();

            public string Next { get; set; }
        }
    }
}
