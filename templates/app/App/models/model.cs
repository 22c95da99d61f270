using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Altinn.App.Models
{
    /// <summary>The form's answers. Rules that one field can check alone stand here; a message is the id of a text.</summary>
    public class Model
    {
        [JsonPropertyName("eventName")]
        [Required(ErrorMessage = "error.required")]
        [StringLength(100, ErrorMessage = "error.tooLong")]
        public string EventName { get; set; }

        [JsonPropertyName("eventType")]
        public string EventType { get; set; }

        [JsonPropertyName("contactEmail")]
        [Required(ErrorMessage = "error.required")]
        [EmailAddress(ErrorMessage = "error.email")]
        public string ContactEmail { get; set; }

        [JsonPropertyName("participants")]
        [Required(ErrorMessage = "error.required")]
        [Range(1, 10000, ErrorMessage = "error.participants")]
        public int? Participants { get; set; }

        [JsonPropertyName("costPerParticipant")]
        [Required(ErrorMessage = "error.required")]
        [Range(0, 100000, ErrorMessage = "error.amount")]
        public decimal? CostPerParticipant { get; set; }

        [JsonPropertyName("ownShare")]
        [Range(0, 1000000000, ErrorMessage = "error.amount")]
        public decimal? OwnShare { get; set; }

        /// <summary>Calculated.</summary>
        [JsonPropertyName("totalCost")]
        public decimal? TotalCost { get; set; }

        /// <summary>Calculated.</summary>
        [JsonPropertyName("grant")]
        public decimal? Grant { get; set; }
    }
}
