using System;
using System.Net.Http;
using System.Threading.Tasks;
using Altinn.App.Security;
using Microsoft.Extensions.Logging;

namespace Altinn.App.Platform
{
    /// <summary>Tells the world what happens to instances. Nobody's work waits for it: a failure is logged.</summary>
    public class EventsClient
    {
        private readonly PlatformClient platform;
        private readonly PlatformSettings settings;
        private readonly ILogger<EventsClient> log;

        public EventsClient(PlatformClient platform, PlatformSettings settings, ILogger<EventsClient> log)
        {
            this.platform = platform;
            this.settings = settings;
            this.log = log;
        }

        /// <summary>Publishes `app.instance.created` and the like; `appUrl` is where the app is seen from outside.</summary>
        public async Task Publish(Caller caller, string type, Instance instance, string appUrl)
        {
            if (!settings.TellsEvents)
            {
                return;
            }

            InstanceOwner owner = instance.InstanceOwner;
            var cloudEvent = new
            {
                subject = $"/party/{owner.PartyId}",
                type,
                alternativesubject = owner.OrganisationNumber != null ? $"/org/{owner.OrganisationNumber}"
                    : owner.PersonNumber != null ? $"/person/{owner.PersonNumber}" : null,
                time = DateTime.UtcNow,
                specversion = "1.0",
                source = $"{appUrl}instances/{instance.Id}",
            };
            try
            {
                using HttpResponseMessage answer = await platform.Send(HttpMethod.Post, "Events", "app", caller, PlatformClient.Json(cloudEvent));
                await PlatformClient.Succeed(answer, "Events");
            }
            catch (PlatformFault fault)
            {
                log.LogWarning("The event {Type} of {Instance} is not published: {Reason}", type, instance.Id, fault.Message);
            }
        }
    }
}
